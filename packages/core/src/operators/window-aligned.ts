/** Windows whose bounds do not depend on records: one entry of the store for each window and key. */
import { alignedStarts, isClosed } from "../kernel/aligned-windows.ts";
import type { CurrentRecord } from "../topology/record.ts";
import type { StoreReader } from "../topology/stage.ts";
import type { States } from "./aggregate-set.ts";
import { numberAt, type StateCodec } from "./state-codec.ts";
import type { StateOperator } from "./state-line.ts";
import { type StoreSchema, TaskStore } from "./task-store.ts";
import { scheduleOf, type UpdateSchedule } from "./update-schedule.ts";
import { type Result, resultTime, type WindowDefinition, type WindowFrame } from "./window-definition.ts";
import { type AlignedSpec, NO_END_MS } from "./window-spec.ts";

/** Of one window and key. Immutable. */
interface AlignedState {
  /** How often it has changed. */
  readonly revision: number;
  /** The largest event time (ms) in it. Stored only where it says when the result is. */
  readonly lastMs: number;
  /** When its newest result is to be told (ms, of the clock); `null`: it is told, or will be when the window closes. */
  readonly updateMs: number | null;
  readonly states: States;
}

/** How the entries are stored. */
function alignedSchema(spec: AlignedSpec, waitMs: number, codec: StateCodec): StoreSchema<AlignedState> {
  return {
    encode: ({ revision, lastMs, updateMs, states }) => {
      const packed = codec.pack(states);
      if (spec.kind === "unlimited") {
        return codec.write([revision, packed, updateMs, lastMs]);
      }
      return codec.write(updateMs === null ? [revision, packed] : [revision, packed, updateMs]);
    },
    decode: (text, id) => {
      if (!Number.isSafeInteger(startIn(id)) || !id.includes(":")) {
        throw new Error("its key names no window");
      }
      const { entry, unpack } = codec.read(text);
      return {
        revision: numberAt(entry, 0),
        states: unpack(entry[1]),
        updateMs: (entry[2] ?? null) === null ? null : numberAt(entry, 2),
        lastMs: spec.kind === "unlimited" ? numberAt(entry, 3) : Number.NEGATIVE_INFINITY,
      };
    },
    timeMs: (id) => endOf(spec, startIn(id)),
    delayMs: waitMs,
    isAlwaysDue: true,
  };
}

/** The key of an entry. */
function alignedId(start: number, key: string): string {
  return `${start}:${key}`;
}

/** The window's start in an entry's key. */
function startIn(id: string): number {
  return Number(id.slice(0, id.indexOf(":")));
}

/** The end of the window that begins at `start`. */
function endOf(spec: AlignedSpec, start: number): number {
  return spec.kind === "unlimited" ? NO_END_MS : start + spec.sizeMs;
}

/** So many entries are looked at together. */
const QUERY_PAGE = 1_000;

/**
 * The open windows of a key, by start. Entries lie by window: a store of one page is read whole, of a larger one the key is looked
 * for in each window that is open for anybody.
 */
export function alignedQuery(
  spec: AlignedSpec,
  { waitMs, codec, aggregates }: WindowDefinition,
): (store: StoreReader, key: string) => Promise<readonly Omit<Result, "timestampMs">[]> {
  const schema = alignedSchema(spec, waitMs, codec);
  return async (store, key) => {
    const starts = await openStarts(store);
    const texts = await store.get(starts.map((start) => alignedId(start, key)));
    return starts.flatMap((start, index) => {
      const text = texts[index] ?? null;
      if (text === null) {
        return [];
      }
      const { revision, states } = schema.decode(text, alignedId(start, key));
      return [{ key, start, end: endOf(spec, start), revision, value: aggregates.out(states) }];
    });
  };
}

/** The starts of the windows that are open for any key, ascending. */
async function openStarts(store: StoreReader): Promise<readonly number[]> {
  const starts: number[] = [];
  let range = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY, limit: QUERY_PAGE };
  for (;;) {
    const { entries, nextMs } = await store.due(range);
    starts.push(...entries.map(([id]) => startIn(id)));
    const last = entries.at(-1)?.[2];
    if (nextMs === null || last === undefined) {
      return [...new Set(starts)];
    }
    // The rest of the last window holds other keys of a start that is known by now.
    range = { ...range, fromMs: nextMs > last ? nextMs : last + 1, limit: 1 };
  }
}

export class AlignedWindows<A> implements StateOperator<A, AlignedState> {
  readonly store: TaskStore<AlignedState>;
  private readonly frame: WindowFrame;
  private readonly spec: AlignedSpec;
  readonly updates: UpdateSchedule | null;

  constructor(spec: AlignedSpec, frame: WindowFrame) {
    this.spec = spec;
    this.frame = frame;
    const { definition, env } = frame;
    this.store = new TaskStore(alignedSchema(spec, definition.waitMs, definition.codec), env.store);
    this.updates = scheduleOf(definition.emit, env, { store: this.store, update: (id) => this.update(id) });
  }

  keysOf(value: A, record: CurrentRecord): readonly string[] {
    const key = this.frame.keyOf(value, record);
    return this.openStarts(record).map((start) => alignedId(start, key));
  }

  process(value: A, record: CurrentRecord): (() => void) | null {
    const { frame } = this;
    const all = this.starts(record.timestamp);
    const open = this.openStarts(record);
    const missed = all.length - open.length;
    if (open.length === 0) {
      return missed === 0 ? null : frame.late(value, record, missed);
    }
    const key = frame.keyOf(value, record);
    const changes = open.map((start) => this.changed(alignedId(start, key), value, record));
    const isTold = frame.definition.emit === "updates";
    const results = isTold ? changes.map(([id, state]) => this.resultOf(id, state)) : [];
    return () => {
      if (missed > 0) {
        frame.env.late(record, missed);
      }
      for (const [id, state] of changes) {
        this.put(id, state);
      }
      for (const result of results) {
        frame.push(result);
      }
    };
  }

  moved(watermarkMs: number): void {
    this.frame.watermarkMs = watermarkMs;
  }

  expire(id: string, state: AlignedState): number {
    const { emit } = this.frame.definition;
    this.store.put(id, null);
    if (emit === "updates" || (emit !== "final" && state.updateMs === null)) {
      return 0;
    }
    if (state.updateMs !== null) {
      this.updates?.cancel(id);
    }
    this.frame.pushInTime(state.states, this.boundsOf(id, state));
    return 1;
  }

  promise(watermarkMs: number): number {
    const { waitMs, emit } = this.frame.definition;
    if (this.spec.kind === "unlimited") {
      // Final results have the time of their last record, however long ago that was.
      return emit === "updates" || watermarkMs === Number.POSITIVE_INFINITY ? watermarkMs : Number.NEGATIVE_INFINITY;
    }
    return watermarkMs - waitMs;
  }

  private starts(timestampMs: number): readonly number[] {
    const { spec } = this;
    if (spec.kind === "unlimited") {
      return timestampMs < spec.fromMs ? [] : [spec.fromMs];
    }
    return alignedStarts(timestampMs, spec);
  }

  private openStarts(record: CurrentRecord): readonly number[] {
    const { waitMs } = this.frame.definition;
    const judgedAtMs = this.frame.judgedAt(record);
    return this.starts(record.timestamp).filter((start) => !isClosed(endOf(this.spec, start), waitMs, judgedAtMs));
  }

  private changed(id: string, value: A, record: CurrentRecord): readonly [id: string, state: AlignedState] {
    const { aggregates, codec, emit } = this.frame.definition;
    const before = this.store.get(id);
    const states = aggregates.add(before?.states ?? aggregates.init(), value, record);
    codec.check(states);
    const state = {
      revision: emit === "final" ? 1 : (before?.revision ?? 0) + 1,
      lastMs: Math.max(before?.lastMs ?? Number.NEGATIVE_INFINITY, record.timestamp),
      updateMs: before?.updateMs ?? this.updates?.plan() ?? null,
      states,
    };
    return [id, state];
  }

  private put(id: string, state: AlignedState): void {
    const isPlanned = (this.store.get(id)?.updateMs ?? null) !== null;
    this.store.put(id, state);
    if (state.updateMs !== null && !isPlanned) {
      this.updates?.note(id, state.updateMs);
    }
  }

  private update(id: string): void {
    const state = this.store.get(id);
    if (state !== null) {
      this.frame.pushInTime(state.states, this.boundsOf(id, state));
      this.store.put(id, { ...state, updateMs: null });
    }
  }

  private boundsOf(id: string, { revision, lastMs }: AlignedState): Omit<Result, "value"> {
    const start = startIn(id);
    const key = id.slice(id.indexOf(":") + 1);
    const end = endOf(this.spec, start);
    return { key, start, end, revision, timestampMs: resultTime(end, lastMs) };
  }

  private resultOf(id: string, state: AlignedState): Result {
    const at = this.boundsOf(id, state);
    return { ...at, value: this.frame.definition.aggregates.out(state.states) };
  }
}
