import { setImmediate as turn } from "node:timers/promises";
import { it } from "vitest";
import { failure } from "../../../simulation/src/report.ts";
import { run } from "../../../simulation/src/run.ts";
import { scenarioOf } from "../../../simulation/src/scenario.ts";
import { promiseOf, shrink } from "../../../simulation/src/shrink.ts";

/** Over all files: one file's share runs in a thread of its own. */
const SCHEDULES = Number(process.env["MILLRACE_SCHEDULES"] ?? 20_000);
const FIRST_SEED = Number(process.env["MILLRACE_SEED"] ?? 1);
const SHARES = 4;

/** Runs one of the equal parts of the schedules, and shows the smallest form of the first that breaks a promise. */
export function describeShare(share: number): void {
  const count = Math.ceil(SCHEDULES / SHARES);
  const from = FIRST_SEED + share * count;
  it(`G1 to G8 hold in the schedules of the seeds ${from} to ${from + count - 1}`, async () => {
    for (let seed = from; seed < from + count; seed += 1) {
      const scenario = scenarioOf(seed);
      const { violations } = await run(scenario);
      if (violations[0] !== undefined) {
        const smallest = await shrink(scenario, promiseOf(violations[0]));
        throw new Error(`seed ${seed}, made smaller:\n${failure(smallest, await run(smallest))}`);
      }
      // A simulation leaves the event loop no turn of its own.
      await turn();
    }
  }, 600_000);
}
