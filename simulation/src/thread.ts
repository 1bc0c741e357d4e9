/** A thread that runs scenarios: it is sent ranges of seeds, and answers each with what they came to. */
import { setImmediate as turn } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import { digestOf } from "./digest.ts";
import { run } from "./run.ts";
import { scenarioOf } from "./scenario.ts";
import { addRun, newTally } from "./tally.ts";

/** Seeds `from` to `from + count - 1`. */
export interface Range {
  readonly from: number;
  readonly count: number;
  /** Whether to answer with what each history comes to. */
  readonly withDigests: boolean;
}

parentPort?.on("message", ({ from, count, withDigests }: Range) => {
  void (async () => {
    const tally = newTally();
    for (let seed = from; seed < from + count; seed += 1) {
      const scenario = scenarioOf(seed);
      const outcome = await run(scenario);
      addRun(tally, scenario, outcome);
      if (withDigests) {
        tally.digests[seed] = digestOf(outcome);
      }
      // A simulation leaves the event loop of the process no turn.
      await turn();
    }
    parentPort?.postMessage(tally, []);
  })();
});
