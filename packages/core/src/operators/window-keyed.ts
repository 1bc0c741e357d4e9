/** Windows whose bounds depend on the records of a key, sessions and sliding windows: one entry of the store for each key. */
import { isClosed } from "../kernel/aligned-windows.ts";
import type { Added, KeyWindow } from "../kernel/key-windows.ts";
import { addToSessions } from "../kernel/session-windows.ts";
import { addToSliding, slidingKeepUntil } from "../kernel/sliding-windows.ts";
import type { CurrentRecord } from "../topology/record.ts";
import type { StoreReader } from "../topology/stage.ts";
import type { States } from "./aggregate-set.ts";
import { numberAt, type StateCodec } from "./state-codec.ts";
import type { StateOperator } from "./state-line.ts";
import { type StoreSchema, TaskStore } from "./task-store.ts";
import { scheduleOf, type UpdateSchedule } from "./update-schedule.ts";
import { type Bounds, type Result, resultTime, type WindowDefinition, type WindowFrame } from "./window-definition.ts";
import type { SessionSpec, SlidingSpec } from "./window-spec.ts";

/** A result that was told while its window was open. */
interface Told extends Bounds {
  readonly revision: number;
}

/** Of one key. Immutable. */
interface KeyedState {
  /** By start. */
  readonly windows: readonly KeyWindow<States>[];
  /** With `every`: what the newest results were that have been told, of windows that were open then. */
  readonly told: readonly Told[];
  /** When the newest results are to be told (ms, of the clock); `null`: they are told, or will be when windows close. */
  readonly updateMs: number | null;
}

type KeyedSpec = SessionSpec | SlidingSpec;

const NOTHING: KeyedState = { windows: [], told: [], updateMs: null };

/** How the entries are stored. */
function keyedSchema(spec: KeyedSpec, waitMs: number, codec: StateCodec): StoreSchema<KeyedState> {
  return {
    encode: ({ windows, told, updateMs }) => {
      const packed = windows.map(({ start, end, lastMs, revision, isFinal, state }) =>
        isFinal
          ? [start, end, lastMs, revision, codec.pack(state), 1]
          : [start, end, lastMs, revision, codec.pack(state)],
      );
      const isPlain = told.length === 0 && updateMs === null;
      const toldOf = told.map(({ start, end, revision }) => [start, end, revision]);
      return codec.write(isPlain ? [packed] : [packed, toldOf, updateMs]);
    },
    decode: (text) => {
      const { entry, unpack } = codec.read(text);
      return {
        windows: listAt(entry[0]).map((window) => ({
          start: numberAt(window, 0),
          end: numberAt(window, 1),
          lastMs: numberAt(window, 2),
          revision: numberAt(window, 3),
          state: unpack(window[4]),
          isFinal: window.length > 5,
        })),
        told: listAt(entry[1] ?? []).map((told) => ({
          start: numberAt(told, 0),
          end: numberAt(told, 1),
          revision: numberAt(told, 2),
        })),
        updateMs: typeof entry[2] === "number" ? entry[2] : null,
      };
    },
    timeMs: (_key, { windows }) =>
      windows.reduce((ms, window) => Math.min(ms, overAt(spec, window)), Number.POSITIVE_INFINITY),
    delayMs: waitMs,
    isAlwaysDue: true,
  };
}

/** The open windows of a key, by start. */
export function keyedQuery(
  spec: KeyedSpec,
  { waitMs, codec, aggregates }: WindowDefinition,
): (store: StoreReader, key: string) => Promise<readonly Omit<Result, "timestampMs">[]> {
  const schema = keyedSchema(spec, waitMs, codec);
  return async (store, key) => {
    const [text] = await store.get([key]);
    const { windows } = text == null ? NOTHING : schema.decode(text, key);
    return windows
      .filter(({ isFinal }) => !isFinal)
      .map(({ start, end, revision, state }) => ({ key, start, end, revision, value: aggregates.out(state) }));
  };
}

export class KeyedWindows<A> implements StateOperator<A, KeyedState> {
  readonly store: TaskStore<KeyedState>;
  private readonly frame: WindowFrame;
  private readonly spec: KeyedSpec;
  readonly updates: UpdateSchedule | null;

  constructor(spec: KeyedSpec, frame: WindowFrame) {
    this.spec = spec;
    this.frame = frame;
    const { definition, env } = frame;
    this.store = new TaskStore(keyedSchema(spec, definition.waitMs, definition.codec), env.store);
    this.updates = scheduleOf(definition.emit, env, { store: this.store, update: (key) => this.update(key) });
  }

  keysOf(value: A, record: CurrentRecord): readonly string[] {
    return [this.frame.keyOf(value, record)];
  }

  process(value: A, record: CurrentRecord, [key = ""]: readonly string[]): (() => void) | null {
    const { frame } = this;
    const closedAtMs = frame.closedAt(record);
    if (closedAtMs === null) {
      return frame.late(value, record, 1);
    }
    const before = this.store.get(key) ?? NOTHING;
    const { windows, changed, removed, missed } = this.add(before.windows, value, record, closedAtMs);
    if (changed.length === 0) {
      return frame.late(value, record, missed);
    }
    const results = frame.definition.emit === "updates" ? this.updatesOf(key, changed, removed) : [];
    const updateMs = before.updateMs ?? this.updates?.plan() ?? null;
    return () => {
      if (missed > 0) {
        frame.env.late(record, missed);
      }
      this.store.put(key, { windows, told: before.told, updateMs });
      if (updateMs !== null && before.updateMs === null) {
        this.updates?.note(key, updateMs);
      }
      for (const result of results) {
        frame.push(result);
      }
    };
  }

  moved(watermarkMs: number): void {
    this.frame.watermarkMs = watermarkMs;
  }

  expire(key: string, state: KeyedState, untilMs: number, room: number): number {
    const { emit, waitMs } = this.frame.definition;
    const { spec } = this;
    let current = state;
    let emitted = 0;
    if (current.updateMs !== null) {
      this.updates?.cancel(key);
      const told = this.tell(key, current);
      current = told.state;
      emitted = told.results;
    }
    const isOver = (window: KeyWindow<States>): boolean => isClosed(overAt(spec, window), waitMs, untilMs);
    const closing = new Set(
      current.windows
        .filter((window) => !window.isFinal && isOver(window))
        .toSorted((a, b) => a.end - b.end)
        .slice(0, room),
    );
    if (emit === "final") {
      for (const window of closing) {
        this.frame.pushInTime(window.state, { ...boundsOf(key, window), revision: 1 });
      }
      emitted += closing.size;
    }
    const windows = current.windows.flatMap((window) =>
      this.afterwards(window, current.windows, closing.has(window) || (window.isFinal && isOver(window))),
    );
    const open = current.told.filter(({ start }) =>
      windows.some((window) => !window.isFinal && window.start === start),
    );
    this.store.put(key, windows.length === 0 ? null : { ...current, windows, told: open });
    return emitted;
  }

  promise(watermarkMs: number): number {
    return watermarkMs - this.frame.definition.waitMs;
  }

  private add(
    windows: readonly KeyWindow<States>[],
    value: A,
    record: CurrentRecord,
    closedAtMs: number,
  ): Added<States> {
    const { aggregates, codec, waitMs } = this.frame.definition;
    const isOver = (endMs: number): boolean => isClosed(endMs, waitMs, closedAtMs);
    const ops = {
      init: () => aggregates.init(),
      add: (states: States) => {
        const next = aggregates.add(states, value, record);
        codec.check(next);
        return next;
      },
      merge: (a: States, b: States) => aggregates.merge(a, b),
    };
    return this.spec.kind === "session"
      ? addToSessions(windows, record.timestamp, { gapMs: this.spec.gapMs, isClosed: isOver }, ops)
      : addToSliding(windows, record.timestamp, { sizeMs: this.spec.sizeMs, isClosed: isOver }, ops);
  }

  /** What remains of a window whose time may have come. */
  private afterwards(
    window: KeyWindow<States>,
    all: readonly KeyWindow<States>[],
    isOver: boolean,
  ): readonly KeyWindow<States>[] {
    if (!isOver) {
      return [window];
    }
    if (window.isFinal || this.spec.kind === "session") {
      return [];
    }
    // Others may begin with its state, unless they begin with that of its twin.
    const hasTwin = all.some((other) => other !== window && other.start === window.start);
    return hasTwin ? [] : [{ ...window, isFinal: true }];
  }

  private update(key: string): void {
    const state = this.store.get(key);
    if (state !== null) {
      this.store.put(key, this.tell(key, state).state);
    }
  }

  /** Tells what is new of a key since it was told last: first what is no more. */
  private tell(key: string, state: KeyedState): { readonly state: KeyedState; readonly results: number } {
    const { windows, told } = state;
    const own = windows.filter(({ isFinal }) => !isFinal);
    const gone = told.filter(({ start, end }) => !own.some((window) => window.start === start && window.end === end));
    const fresh = own.filter(
      ({ start, end, revision }) =>
        !told.some((before) => before.start === start && before.end === end && before.revision === revision),
    );
    for (const result of retracted(key, gone)) {
      this.frame.push(result);
    }
    for (const window of fresh) {
      this.frame.pushInTime(window.state, boundsOf(key, window));
    }
    return {
      state: {
        windows,
        told: own.map(({ start, end, revision }) => ({ start, end, revision })),
        updateMs: null,
      },
      results: gone.length + fresh.length,
    };
  }

  /** What a record has changed, as results. Throws what an aggregate throws. */
  private updatesOf(key: string, changed: readonly KeyWindow<States>[], removed: readonly Told[]): readonly Result[] {
    const { aggregates } = this.frame.definition;
    return [
      ...retracted(key, removed),
      ...changed.map((window) => ({ ...boundsOf(key, window), value: aggregates.out(window.state) })),
    ];
  }
}

/** What takes results back whose windows are no more. */
function retracted(key: string, removed: readonly Told[]): readonly Result[] {
  return removed.map(({ start, end, revision }) => ({
    key,
    start,
    end,
    revision: revision + 1,
    timestampMs: end - 1,
    value: null,
  }));
}

/** From when on nothing is to be done with a window (ms), had it no grace. */
function overAt(spec: KeyedSpec, { end, isFinal }: KeyWindow<States>): number {
  return isFinal && spec.kind === "sliding" ? slidingKeepUntil(end, spec.sizeMs) : end;
}

function boundsOf(key: string, { start, end, revision, lastMs }: KeyWindow<States>): Omit<Result, "value"> {
  return { key, start, end, revision, timestampMs: resultTime(end, lastMs) };
}

function listAt(list: unknown): readonly (readonly unknown[])[] {
  if (!Array.isArray(list) || !list.every(Array.isArray)) {
    throw new Error("it holds no list of windows");
  }
  return list as readonly (readonly unknown[])[];
}
