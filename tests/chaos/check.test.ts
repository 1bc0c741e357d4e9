import { describe, expect, it } from "vitest";
import { check } from "../../chaos/src/check.ts";
import type { History, WorkerLine } from "../../chaos/src/history.ts";
import { at, delayed, history, inputRecord, offsetAt, withLines } from "./support/histories.ts";

function violated(spoilt: History): readonly string[] {
  return [...new Set(check(spoilt).violations.map(({ invariant }) => invariant))].toSorted();
}

const good = history();

describe("the history checker finds nothing", () => {
  const harmless: Readonly<Record<string, History>> = {
    "in a run with a hand-over": good,
    "in an empty run": history({ sent: [], input: [], output: [], between: [], totals: [], processes: [], faults: [] }),
    "where a value was never acknowledged and is not in the input": history({
      sent: [...good.sent, { key: "a", n: 20, isAcked: false }],
    }),
    "where a value was never acknowledged and is in the input": history({
      sent: good.sent.map((record) => ({ ...record, isAcked: record.n !== 3 })),
    }),
    "where a worker was killed before it wrote its last commits down": history({
      processes: good.processes.map((process) =>
        process.name === "w1.1" ? { ...process, lines: process.lines.slice(0, -12) } : process,
      ),
    }),
    "where a reply was read long after the next owner had begun": history({
      processes: good.processes.map((process) => ({
        ...process,
        lines: process.lines.map((line) =>
          line._tag === "commit" && line.offset === offsetAt(900) ? { ...line, atMs: at(1_950) } : line,
        ),
      })),
    }),
    "where a stay handled a record and committed nothing, and another one began at the same record": withLines(
      withLines(good, "w2.1", [
        { _tag: "stay", atMs: at(900), stay: "w2.1#0", task: "input/0", offset: offsetAt(1_000) },
      ]),
      "w1.1",
      [{ _tag: "stay", atMs: at(1_002), stay: "w1.1#2", task: "input/0", offset: offsetAt(1_000) }],
    ),
    "where one commit covers several records": history({
      processes: good.processes.map((process) => ({
        ...process,
        lines: process.lines.flatMap((line) => {
          const isCopy = line._tag === "commit" && line.task === "input/0";
          if (isCopy && line.offset === offsetAt(300)) {
            return [];
          }
          return [isCopy && line.offset === offsetAt(400) ? { ...line, records: 2 } : line];
        }),
      })),
    }),
  };
  it.each(Object.entries(harmless))("%s", (_name, spoilt) => {
    expect(check(spoilt).violations).toEqual([]);
  });
});

describe("the history checker finds", () => {
  const broken: Readonly<Record<string, readonly [expected: string, spoilt: History]>> = {
    "a record that the producer was told is stored, and is not": [
      "produced",
      history({ sent: [...good.sent, { key: "a", n: 20, isAcked: true }] }),
    ],
    "a record that was stored twice": [
      "produced",
      history({ input: [...good.input, { ...inputRecord(19), offset: offsetAt(1_950) }] }),
    ],
    "a record that nobody sent": ["produced", history({ sent: good.sent.filter(({ n }) => n !== 4) })],
    "records of a key that were stored in the wrong order": [
      "produced",
      history({ input: good.input.map((record) => ({ ...record, n: 19 - record.n })) }),
    ],
    "a key in two partitions of the input": [
      "produced",
      history({ input: good.input.map((record) => ({ ...record, partition: record.n % 2 })) }),
    ],
    "a worker that says the store has lost something": [
      "no loss reported",
      withLines(good, "w2.1", [{ _tag: "event", atMs: at(1_500), kind: "Regressed", text: "{}" }]),
    ],
    "a worker that gave up": [
      "no worker gives up",
      history({ processes: good.processes.map((process) => ({ ...process, problem: "exit code 1" })) }),
    ],
    "workers that do not come to the end": ["completes", history({ incomplete: "still at work" })],
    "a partition that stands still for too long": ["no stall", delayed(good, 12, 2_050)],
  };
  it.each(Object.entries(broken))("%s", (_name, [expected, spoilt]) => {
    expect(violated(spoilt)).toContain(expected);
    expect(check(spoilt).violations.every(({ message }) => message.length > 0)).toBe(true);
  });

  it("each of its invariants broken in some test", () => {
    expect([...new Set(Object.values(broken).map(([expected]) => expected))].toSorted()).toEqual([
      "completes",
      "no loss reported",
      "no stall",
      "no worker gives up",
      "produced",
    ]);
  });

  it("the lines that show it, with the faults around", () => {
    const line: WorkerLine = { _tag: "event", atMs: at(1_500), kind: "Regressed", text: "{}" };
    const [violation] = check(withLines(good, "w2.1", [line])).violations;
    expect(violation?.message).toBe("w2.1 reported Regressed");
    expect(violation?.excerpt).toEqual(["08:00:00.960 FAULT stop w1.1", "08:00:01.500 w2.1: Regressed {}"]);
  });

  it("in a run that did not come to its end that alone, where what was reached is right", () => {
    const reached = { output: good.output.slice(0, 15), totals: good.totals.slice(0, 1), incomplete: "still at work" };
    expect(violated(history(reached))).toEqual(["completes"]);
  });
});
