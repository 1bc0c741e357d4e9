/**
 * Every case of `fixtures/windows.json` (Kafka Streams as executed; the file says how) that concerns windows, through pipelines
 * that run: with room for state, and with none, when almost every access reads from the store.
 */
import { type Limits, tumbling } from "@millrace/core";
import { describe, expect, it } from "vitest";
import {
  ACCEPTED,
  BEFORE_1970,
  DIFFERENCES,
  OUT_OF_SCOPE,
  QUIRKS,
  UNSUPPRESSED,
} from "./support/window-vector-differences.ts";
import { keyless, plan, runVector, windowsOf } from "./support/window-vector-run.ts";
import {
  type AggregateVector,
  type KafkaWindow,
  ms,
  NO_END,
  otherVectors,
  runsOf,
  specOf,
  VECTORS,
  type VectorItem,
  type VectorRun,
  vectorsOf,
} from "./support/window-vectors.ts";

const LIMITS: readonly (readonly [name: string, limits: Limits])[] = [
  ["state held in memory", {}],
  ["state read from the store", { maxStateBytes: 1 }],
];
const RUN_KINDS = ["aggregate", "assign", "overlap", "validate"] as const;

const aggregates = vectorsOf("aggregate");
const outOfScope = otherVectors();
const definitions = vectorsOf("validate").flatMap((vector) => vector.expect.results);
const isOfJoin = ({ window }: (typeof definitions)[number]): boolean => window.type === "join";

const item = (key: string, ts: number): VectorItem => ({ key, value: "1", ts });

/** Says which case it is, and why it is not as in Kafka where it is not. */
function titleOf({ of: { id, status }, emit, why }: VectorRun): string {
  const reason = why ?? QUIRKS[id] ?? (status === "defect" ? "as recommended" : null);
  return `${id}, ${emit}${reason === null ? "" : ` (${reason})`}`;
}

function define(kafka: KafkaWindow): unknown {
  const emit = kafka.type === "unlimited+onClose" ? "final" : "updates";
  return plan({ spec: specOf(kafka), grace: ms(kafka.graceMs ?? 0), emit });
}

describe("the cases of Kafka's windows", () => {
  it("are all run or out of scope: of 85, 56 are run", () => {
    const run = RUN_KINDS.map((kind) => vectorsOf(kind));
    expect(run.map((vectors) => vectors.length)).toEqual([50, 4, 1, 1]);
    expect(outOfScope).toHaveLength(29);
    const ids = [...run.flat(), ...outOfScope].map(({ id }) => id);
    expect(ids.toSorted()).toEqual(VECTORS.map(({ id }) => id).toSorted());
    expect(new Set(ids).size).toBe(85);
    expect([definitions.length, definitions.filter(isOfJoin).length]).toEqual([27, 8]);
  });

  it("that are a quirk, a note or a defect are decided, and no decision is about a case that is not there", () => {
    const isRecommended = (vector: AggregateVector): boolean => vector.recommended?.outputs !== undefined;
    const isDecided = ({ id }: AggregateVector): boolean => id in DIFFERENCES || id in QUIRKS;
    const special = aggregates.filter(({ status }) => status !== "conform");
    expect(special).toHaveLength(7);
    expect(special.filter((vector) => !isRecommended(vector) && !isDecided(vector))).toEqual([]);
    const ids = new Set(VECTORS.map(({ id }) => id));
    const decided = [DIFFERENCES, UNSUPPRESSED, QUIRKS, BEFORE_1970].flatMap((table) => Object.keys(table));
    expect(decided.filter((id) => !ids.has(id))).toEqual([]);
  });
});

describe("out of scope", () => {
  it.for(outOfScope.map(({ id, kind }) => [id, OUT_OF_SCOPE[kind]] as const))("%s: %s", ([, why], { skip }) => {
    skip(why);
  });
});

describe.each(LIMITS)("aggregates in windows, %s", (_, limits) => {
  const runs = aggregates.flatMap(runsOf);

  it.for(runs.map((run) => [titleOf(run), run] as const))("%s", async ([, run]) => {
    expect(await runVector(run, limits)).toEqual(run.expected);
  });
});

describe.each(LIMITS)("windows of times, %s", (_, limits) => {
  const assigns = vectorsOf("assign");

  it.for(assigns.map((vector) => [vector.id, vector] as const))("%s", async ([id, vector]) => {
    const { config, expect: kafka } = vector;
    const definition = { spec: specOf(config.window), grace: "0 s", emit: "updates" } as const;
    const items = kafka.assignments.map(({ ts }) => item(`${ts}`, ts));
    const expected = kafka.assignments.flatMap(({ ts, windows }) =>
      [...(BEFORE_1970[id]?.[ts] ?? []), ...windows].map(([start, end]) => ({
        key: `${ts}`,
        start,
        end: end === "infinity" ? NO_END : end,
        revision: 1,
        value: { result: 1 },
      })),
    );
    expect(await windowsOf(definition, items, limits)).toEqual(expected);
  });

  it("overlap-session", async () => {
    const results = vectorsOf("overlap").flatMap((vector) => vector.expect.results);
    expect(results).toHaveLength(31);
    // With 10 ms for one of theirs and a gap of 9 ms, sessions become one iff they have an instant in common.
    const times = ([first, last]: readonly [number, number]): number[] => {
      const steps = Math.ceil(((last - first) * 10) / 9);
      return Array.from({ length: steps + 1 }, (_step, n) => Math.min(first * 10 + n * 9, last * 10));
    };
    const items = results.flatMap(({ a, b }, n) => [...times(a), ...times(b)].map((ts) => item(`${n}`, ts)));
    const definition = { spec: specOf({ type: "session", gapMs: 9 }), grace: "1 h", emit: "final" } as const;
    const rows = await windowsOf(definition, items, limits);
    const expected = results.map(({ a, b, overlap }) => {
      const whole = [Math.min(a[0], b[0]), Math.max(a[1], b[1])] as const;
      const sessions = overlap ? [whole] : [a, b].toSorted((one, other) => one[1] - other[1]);
      return sessions.map(([first, last]) => [first * 10, last * 10 + 1]);
    });
    const bounds = (n: number): number[][] =>
      rows.filter(({ key }) => key === `${n}`).map(({ start, end }) => [start, end]);
    expect(results.map((_result, n) => bounds(n))).toEqual(expected);
  });

  it("an unlimited window that begins before 1970 lacks what is before its start, and is final when the input ends", async () => {
    const definition = { spec: specOf({ type: "unlimited", startMs: -1 }), grace: "0 s", emit: "final" } as const;
    const rows = await windowsOf(definition, [item("k", -2), item("k", -1), item("k", 5)], limits);
    expect(rows).toEqual([{ key: "k", start: -1, end: NO_END, revision: 1, value: { result: 2 } }]);
  });
});

describe("definitions of windows", () => {
  const all = definitions.map((definition) => {
    const why = definition.accepted ? undefined : ACCEPTED[definition.window.type];
    return [`${JSON.stringify(definition.window)}${why === undefined ? "" : ` (${why})`}`, definition] as const;
  });
  const ours = all.filter(([, definition]) => !isOfJoin(definition));
  const isAccepted = ({ window, accepted }: (typeof definitions)[number]): boolean =>
    accepted || window.type in ACCEPTED;

  it.for(ours.filter(([, definition]) => isAccepted(definition)))("are accepted: %s", ([, { window }]) => {
    expect(define(window)).toMatchObject({ name: "vectors" });
  });

  it.for(ours.filter(([, definition]) => !isAccepted(definition)))("are refused: %s", ([, { window }]) => {
    expect(() => define(window)).toThrow(expect.objectContaining({ _tag: "InvalidOption" }));
  });

  it("are refused where records have no key", () => {
    const refused = expect.objectContaining({ _tag: "InvalidPipeline" });
    expect(() => plan({ spec: tumbling("10 ms"), grace: "0 s", emit: "final", from: keyless })).toThrow(refused);
  });

  it.for(all.filter(([, definition]) => isOfJoin(definition)))("are out of scope: %s", (_, { skip }) => {
    skip(OUT_OF_SCOPE.streamStreamJoin);
  });
});
