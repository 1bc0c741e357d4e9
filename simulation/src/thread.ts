/** A thread that runs scenarios: it is sent ranges of seeds, and answers each with what they came to. */
import { setImmediate as turn } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import { run } from "./run.ts";
import { scenarioOf } from "./scenario.ts";
import { addRun, newTally } from "./tally.ts";

/** Seeds `from` to `from + count - 1`. */
export interface Range {
  readonly from: number;
  readonly count: number;
}

parentPort?.on("message", ({ from, count }: Range) => {
  void (async () => {
    const tally = newTally();
    for (let seed = from; seed < from + count; seed += 1) {
      const scenario = scenarioOf(seed);
      addRun(tally, scenario, await run(scenario));
      // A simulation leaves the event loop of the process no turn.
      await turn();
    }
    parentPort?.postMessage(tally, []);
  })();
});
