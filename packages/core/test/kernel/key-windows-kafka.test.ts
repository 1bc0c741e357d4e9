/**
 * Windows of Kafka Streams as executed: `fixtures/windows.json` says from which commit and how. Here are the cases of sessions and
 * sliding windows, and those that assign times to windows; a small driver stands for the operator.
 *
 * Two things are not as in Kafka, and left out of the comparison:
 * - Kafka has no window that starts before 1970. A record younger than the size of its sliding window is in `[0, size]`
 *   there, and in `[t - size, t]` here. So in the cases {@link NEAR_THE_EPOCH} only windows that start behind 0 are
 *   compared, and late records, which miss other windows, are not counted. Hopping windows: those that start before 0.
 * - A session that takes a record within its bounds is retracted and emitted again there; here it is only emitted again.
 *
 * Out of scope: `assign-unlimited-10`, whose window is not computed, but given.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { alignedStarts, isClosed } from "../../src/kernel/aligned-windows.ts";
import type { Added, KeyWindow, WindowOps } from "../../src/kernel/key-windows.ts";
import { addToSessions } from "../../src/kernel/session-windows.ts";
import { addToSliding, slidingKeepUntil } from "../../src/kernel/sliding-windows.ts";

interface KafkaWindow {
  readonly type: string;
  readonly graceMs: number;
  readonly gapMs?: number;
  readonly timeDifferenceMs?: number;
  readonly sizeMs?: number;
  readonly advanceMs?: number;
}

/** A result: bounds are closed on both sides. */
interface Row {
  readonly afterInput: number;
  readonly key: string;
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly value: string | number | null;
  readonly ts: number;
}

interface Expectation {
  readonly outputs: readonly Row[];
  readonly dropped: readonly { readonly input: number; readonly drops: number }[];
}

interface AggregateCase {
  readonly id: string;
  readonly title: string;
  readonly config: {
    readonly window: KafkaWindow;
    readonly aggregate: "count" | "reduce" | "concat";
    readonly emit: "onUpdate" | "onClose";
    readonly suppress?: unknown;
  };
  readonly input: readonly { readonly key: string | null; readonly value: string; readonly ts: number }[];
  readonly compare: "ordered" | "multisetPerInput";
  readonly expect: Expectation;
  readonly recommended?: Partial<Expectation>;
}

interface AssignCase {
  readonly id: string;
  readonly title: string;
  readonly config: { readonly window: KafkaWindow };
  readonly expect: {
    readonly assignments: readonly { readonly ts: number; readonly windows: readonly (readonly [number, number])[] }[];
  };
}

interface OverlapCase {
  readonly expect: {
    readonly results: readonly {
      readonly a: readonly [number, number];
      readonly b: readonly [number, number];
      readonly overlap: boolean;
    }[];
  };
}

const { cases } = JSON.parse(readFileSync(new URL("../fixtures/windows.json", import.meta.url), "utf8")) as {
  readonly cases: readonly { readonly id: string; readonly kind: string; readonly config?: { window?: KafkaWindow } }[];
};

const NEAR_THE_EPOCH: ReadonlySet<string> = new Set([
  "slide-early-large-onClose",
  "slide-early-nograce-large-onUpdate",
  "slide-early-nograce-onUpdate",
  "slide-early-repeat-onClose",
]);

/** Kafka throws in the first; we support windows of one instant: each holds the records of one time. */
const OURS: Readonly<Record<string, Expectation>> = {
  "slide-zero-diff": {
    outputs: [
      { afterInput: 0, key: "k", windowStart: 5, windowEnd: 5, value: 1, ts: 5 },
      { afterInput: 1, key: "k", windowStart: 5, windowEnd: 5, value: 2, ts: 5 },
      { afterInput: 2, key: "k", windowStart: 6, windowEnd: 6, value: 1, ts: 6 },
      { afterInput: 3, key: "k", windowStart: 5, windowEnd: 5, value: 3, ts: 5 },
    ],
    dropped: [],
  },
};

function opsFor(aggregate: string, value: string): WindowOps<string | number | null> {
  const join = (a: string | number | null, b: string | number | null): string | number | null => {
    if (aggregate === "count") {
      return Number(a) + Number(b);
    }
    return a === null ? b : `${a}+${b}`;
  };
  const empty = { count: 0, reduce: null, concat: "0" }[aggregate] ?? null;
  return { init: () => empty, add: (state) => join(state, aggregate === "count" ? 1 : value), merge: join };
}

type Windows = readonly KeyWindow<string | number | null>[];

/** The operator: windows of all keys, closed by the newest time of all. */
class Driver {
  readonly outputs: Row[] = [];
  readonly dropped: { readonly input: number; readonly drops: number }[] = [];
  private readonly of: AggregateCase;
  private readonly waitMs: number;
  private readonly isFinalOnly: boolean;
  private readonly keys = new Map<string, Windows>();
  private timeMs = Number.NEGATIVE_INFINITY;

  constructor(of: AggregateCase) {
    this.of = of;
    const { window, emit, suppress } = of.config;
    this.waitMs = window.graceMs + (window.gapMs ?? 0);
    this.isFinalOnly = emit === "onClose" || suppress !== undefined;
  }

  run(): this {
    for (const [index, { key, value, ts }] of this.of.input.entries()) {
      const missed = key === null ? 1 : this.take(index, { key, value, ts });
      if (missed > 0) {
        this.dropped.push({ input: index, drops: missed });
      }
    }
    return this;
  }

  /** Returns how many windows the record missed. */
  private take(index: number, { key, value, ts }: { key: string; value: string; ts: number }): number {
    this.timeMs = Math.max(this.timeMs, ts);
    const { windows, changed, removed, missed } = this.add(this.keys.get(key) ?? [], value, ts);
    this.keys.set(key, windows);
    if (this.isFinalOnly) {
      this.close(index);
    } else {
      for (const window of [...removed.map((old) => ({ ...old, state: null })), ...changed]) {
        this.emit(index, key, window);
      }
    }
    return missed;
  }

  private add(windows: Windows, value: string, ts: number): Added<string | number | null> {
    const { window, aggregate } = this.of.config;
    const ops = opsFor(aggregate, value);
    return window.gapMs === undefined
      ? addToSliding(windows, ts, { sizeMs: window.timeDifferenceMs ?? 0, isClosed: this.isClosed }, ops)
      : addToSessions(windows, ts, { gapMs: window.gapMs, isClosed: this.isClosed }, ops);
  }

  /** By end, then by key. */
  private close(index: number): void {
    const closing = [...this.keys].flatMap(([key, windows]) =>
      windows.filter(({ end, isFinal }) => !isFinal && this.isClosed(end)).map((window) => ({ key, window })),
    );
    closing.sort((a, b) => a.window.end - b.window.end || (a.key < b.key ? -1 : 1));
    for (const { key, window } of closing) {
      this.emit(index, key, window);
    }
    for (const [key, windows] of this.keys) {
      const kept = windows
        .map((window) => (this.isClosed(window.end) ? { ...window, isFinal: true } : window))
        .filter(({ end, isFinal }) => !isFinal || !this.isForgotten(end));
      this.keys.set(key, kept);
    }
  }

  private emit(afterInput: number, key: string, { start, end, lastMs: ts, state }: Windows[number]): void {
    this.outputs.push({ afterInput, key, windowStart: start, windowEnd: end - 1, value: state, ts });
  }

  private readonly isClosed = (endMs: number): boolean => isClosed(endMs, this.waitMs, this.timeMs);

  private isForgotten(endMs: number): boolean {
    const { timeDifferenceMs } = this.of.config.window;
    return timeDifferenceMs === undefined || this.isClosed(slidingKeepUntil(endMs, timeDifferenceMs));
  }
}

function expectedOf(of: AggregateCase): Expectation {
  return OURS[of.id] ?? { ...of.expect, ...(of.recommended?.outputs === undefined ? {} : of.recommended) };
}

/** As text, for what cannot be compared otherwise: Kafka's values are numbers where they can be. */
function rowsOf(of: AggregateCase, rows: readonly Row[]): readonly string[] {
  const isReplaced = (row: Row): boolean =>
    row.value === null &&
    rows.some(
      (other) =>
        other.value !== null &&
        other.afterInput === row.afterInput &&
        other.key === row.key &&
        other.windowStart === row.windowStart &&
        other.windowEnd === row.windowEnd,
    );
  const texts = rows
    .filter((row) => !(NEAR_THE_EPOCH.has(of.id) && row.windowStart <= 0) && !isReplaced(row))
    .map((row) => `${row.afterInput}: ${row.key} [${row.windowStart}, ${row.windowEnd}] ${row.value} @ ${row.ts}`);
  return of.compare === "ordered" ? texts : texts.toSorted();
}

function casesOf(kind: string, ...types: readonly (string | undefined)[]): unknown {
  return cases.filter((one) => one.kind === kind && types.includes(one.config?.window?.type));
}

describe.each([
  ["session", 14],
  ["sliding", 14],
] as const)("%s windows of Kafka", (type, many) => {
  const all = casesOf("aggregate", type) as readonly AggregateCase[];

  it("are all here", () => {
    expect(all).toHaveLength(many);
  });

  it.each(all.map((of) => [of.id, of] as const))("%s", (_, of) => {
    const { outputs, dropped } = new Driver(of).run();
    const expected = expectedOf(of);
    expect(rowsOf(of, outputs)).toEqual(rowsOf(of, expected.outputs));
    expect(NEAR_THE_EPOCH.has(of.id) ? expected.dropped : dropped).toEqual(expected.dropped);
  });
});

describe("times in windows of Kafka", () => {
  const all = casesOf("assign", "tumbling", "hopping") as readonly AssignCase[];

  it("are all here", () => {
    expect(all).toHaveLength(3);
  });

  it.each(all.map((of) => [of.id, of] as const))("%s", (_, { config: { window }, expect: { assignments } }) => {
    const { sizeMs = 0, advanceMs: everyMs = sizeMs } = window;
    for (const { ts, windows } of assignments) {
      const starts = alignedStarts(ts, { sizeMs, everyMs, offsetMs: 0 });
      expect(starts.filter((start) => start >= 0).map((start) => [start, start + sizeMs])).toEqual(windows);
    }
  });
});

describe("overlaps of Kafka's sessions", () => {
  const results = (casesOf("overlap", undefined) as readonly OverlapCase[]).flatMap((of) => of.expect.results);

  it("are all here", () => {
    expect(results).toHaveLength(31);
  });

  it.each(results)("$a and $b: $overlap", ({ a, b, overlap }) => {
    // With a gap of 0 a session takes the times within its bounds: two overlap iff one takes an end of the other.
    const takes = ([start, lastMs]: readonly [number, number], timestampMs: number): boolean => {
      const session = { start, end: lastMs + 1, lastMs, revision: 1, isFinal: false, state: 1 };
      const { windows } = addToSessions([session], timestampMs, { gapMs: 0, isClosed: () => false }, COUNT);
      return windows.length === 1;
    };
    expect(takes(a, b[0]) || takes(a, b[1]) || takes(b, a[0]) || takes(b, a[1])).toBe(overlap);
  });
});

const COUNT: WindowOps<number> = { init: () => 0, add: (n) => n + 1, merge: (a, b) => a + b };
