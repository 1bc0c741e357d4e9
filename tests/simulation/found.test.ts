/** Scenarios that the simulation has found to break a promise, as they were when they were made smaller. */
import { expect, it } from "vitest";
import { run } from "../../simulation/src/run.ts";
import type { Scenario } from "../../simulation/src/scenario.ts";

const FOUND: Readonly<Record<string, Scenario>> = {
  "a task whose end the store has lost is called complete by a call that was under way meanwhile": {
    seed: 135_715,
    workload: "windows",
    records: 9,
    keys: 1,
    partitions: 2,
    partitionsBehind: 1,
    portion: 3,
    pauseMs: 200,
    handlerMs: 40,
    workers: 1,
    weather: { latencyMs: 100, breaks: 0, doubles: 0, lostHints: 1 },
    skewMs: 0,
    maxStateBytes: 1,
    faults: [
      { kind: "kill", atMs: 298, forMs: 900, victim: 0 },
      { kind: "lose", atMs: 2_857, forMs: 900, victim: 1 },
    ],
  },
};

it.each(Object.entries(FOUND))("%s", async (_what, scenario) => {
  expect((await run(scenario)).violations).toEqual([]);
});
