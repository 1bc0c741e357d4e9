import { describe, expect, it } from "vitest";
import { check } from "../../chaos/src/check.ts";
import type { History } from "../../chaos/src/history.ts";
import { at, delayed, fault, history } from "./support/histories.ts";

const good = history();

describe("the history checker allows", () => {
  const harmless: Readonly<Record<string, History>> = {
    "a partition that stands still for just as long as it may": delayed(good, 12, 2_000),
    "records that came late because the server was away": delayed(
      history({ faults: [fault("redis restart", 1_210, 2_210, { victim: null, tasks: null, isOutage: true })] }),
      12,
      2_900,
    ),
    "a stall whose clock starts anew at a fault of the worker that has the partition": delayed(
      history({ faults: [fault("freeze", 2_000, 2_010, { victim: "w2.1" })] }),
      12,
      2_700,
    ),
    "a stall while nobody was there to work": delayed(
      history({
        processes: good.processes.map((process) => (process.name === "w2.1" ? process : { ...process, leftMs: at(0) })),
        faults: [fault("freeze", 1_000, 2_500, { victim: "w2.1" })],
      }),
      12,
      3_200,
    ),
    "a stall while the server was slow": delayed(
      history({ slowServer: [{ fromMs: at(2_300), toMs: at(3_300) }] }),
      12,
      2_900,
    ),
    "a stall while others had the CPUs": delayed(
      history({ starved: [300, 400, 500].map((ms) => ({ fromMs: at(2_000 + ms), toMs: at(2_040 + ms) })) }),
      12,
      2_120,
    ),
    "a stall while the driver was not scheduled": delayed(
      history({ hiccups: [{ fromMs: at(2_300), toMs: at(3_300) }] }),
      12,
      2_900,
    ),
  };
  it.each(Object.entries(harmless))("%s", (_name, allowed) => {
    expect(check(allowed).violations).toEqual([]);
  });
});

describe("the history checker finds", () => {
  const stalled: Readonly<Record<string, History>> = {
    "a partition that never moves on": history({
      output: good.output.slice(0, 12),
      endMs: at(1_200 + 2_050),
      incomplete: "still at work",
    }),
    "a stall although another partition's worker was hit meanwhile": delayed(
      history({ faults: [fault("kill", 2_000, 2_000, { tasks: ["input/7"] })] }),
      12,
      2_050,
    ),
    "a stall after the last fault": delayed(history({ faults: [fault("kill", 1_300, 1_300)] }), 12, 2_200),
    "a stall that begins when the server is back": delayed(
      history({ faults: [fault("redis restart", 1_210, 1_710, { victim: null, tasks: null, isOutage: true })] }),
      12,
      2_600,
    ),
    "a stall that is too long even without the time in which the server was slow": delayed(
      history({ slowServer: [{ fromMs: at(2_300), toMs: at(3_300) }] }),
      12,
      3_050,
    ),
    "a stall that is too long even without the time in which others had the CPUs": delayed(
      history({ starved: [{ fromMs: at(2_600), toMs: at(2_640) }] }),
      12,
      2_050,
    ),
    "a stall that is too long although the machine was busy while the session timeout ran": delayed(
      history({
        starved: [{ fromMs: at(1_200), toMs: at(2_200) }],
        slowServer: [{ fromMs: at(1_200), toMs: at(2_200) }],
        hiccups: [{ fromMs: at(1_200), toMs: at(2_200) }],
      }),
      12,
      2_050,
    ),
    "a stall while one worker of two is frozen": delayed(
      history({ faults: [fault("freeze", 1_200, 5_000)] }),
      12,
      2_050,
    ),
    "a stall between the steps": history({
      processes: good.processes.map((process) => ({
        ...process,
        lines: process.lines.map((line) =>
          line._tag === "commit" && line.task !== "input/0" && line.atMs > at(500)
            ? { ...line, atMs: line.atMs + 2_050 }
            : line,
        ),
      })),
    }),
  };
  it.each(Object.entries(stalled))("%s", (_name, spoilt) => {
    expect(check(spoilt).violations.map(({ invariant }) => invariant)).toContain("no stall");
  });

  it("how long the longest stall was, and what did not count", () => {
    const outage = fault("redis restart", 1_210, 1_710, { victim: null, tasks: null, isOutage: true });
    const { longestStall, forgivenStalls, excused } = check(delayed(history({ faults: [outage] }), 12, 1_500));
    expect(longestStall).toMatchObject({ task: "input/0", countedMs: 990, restarts: 1 });
    expect(excused.outageMs).toBe(500);
    expect(forgivenStalls).toBe(0);
  });

  it("how many stalls were allowed only because of a fault on the way", () => {
    const hit = fault("freeze", 2_000, 2_010, { victim: "w2.1" });
    const { longestStall, forgivenStalls } = check(delayed(history({ faults: [hit] }), 12, 2_700));
    expect(longestStall).toMatchObject({ countedMs: 1_890, netMs: 2_690, restarts: 1 });
    expect(forgivenStalls).toBe(1);
  });
});
