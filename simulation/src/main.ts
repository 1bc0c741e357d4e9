/** `npm run simulate -- --schedules 100000 --seed 7`: runs scenarios on all CPUs, and shows the smallest form of each that fails. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Command, InvalidArgumentError } from "commander";
import { failure, summary } from "./report.ts";
import { run } from "./run.ts";
import { scenarioOf } from "./scenario.ts";
import { promiseOf, shrink } from "./shrink.ts";
import { addTally, newTally, type Tally } from "./tally.ts";
import type { Range } from "./thread.ts";

/** Seeds that a thread is sent at a time. */
const AT_A_TIME = 200;
const TELL_EVERY_MS = 10_000;
/** Failing schedules that are shown. */
const MOST_SHOWN = 5;

const {
  schedules,
  seed,
  threads,
  digests: withDigests = false,
} = new Command("npm run simulate --")
  .description(
    "Runs the real worker code in simulated time, under faults. The same seed gives the same run everywhere.",
  )
  .option("--schedules <n>", "how many to run", wholeFrom(1), 20_000)
  .option("--seed <n>", "of the first; the others follow (default: random)", wholeFrom(0))
  .option("--threads <n>", "how many run at a time (default: one for each CPU)", wholeFrom(1))
  .option("--digests", "prints what each history comes to: the same on every machine")
  .parse()
  .opts<{ schedules: number; seed?: number; threads?: number; digests?: boolean }>();

const first = seed ?? Math.floor(Math.random() * 1_000_000_000);
tell(`seeds ${first} to ${first + schedules - 1}`);

const total = newTally();
const startMs = performance.now();
const telling = setInterval(() => {
  const perSecond = total.schedules / ((performance.now() - startMs) / 1_000);
  tell(`${total.schedules} of ${schedules}, ${perSecond.toFixed(0)} a second, ${total.failures.length} violations`);
}, TELL_EVERY_MS);
let next = first;
await Promise.all(Array.from({ length: Math.min(threads ?? availableParallelism(), schedules) }, () => runThread()));
clearInterval(telling);
tell(summary(total, performance.now() - startMs));
for (const [ofSeed, digest] of Object.entries(total.digests)) {
  tell(`${ofSeed} ${digest}`);
}
for (const { seed: failed, violations } of total.failures.slice(0, MOST_SHOWN)) {
  const [violation = ""] = violations;
  const smallest = await shrink(scenarioOf(failed), promiseOf(violation));
  tell(`\nseed ${failed} (npm run simulate -- --schedules 1 --seed ${failed}), made smaller:`);
  tell(failure(smallest, await run(smallest)));
}
process.exitCode = total.failures.length === 0 ? 0 : 1;

/** Runs ranges of seeds in a thread until none is left. */
async function runThread(): Promise<void> {
  const thread = new Worker(new URL("./thread.js", import.meta.url));
  while (next < first + schedules) {
    const count = Math.min(AT_A_TIME, first + schedules - next);
    thread.postMessage({ from: next, count, withDigests } satisfies Range, []);
    next += count;
    // Rejects with what the thread throws.
    const [tally] = (await once(thread, "message")) as [Tally];
    addTally(total, tally);
    for (const { seed: failed, violations } of tally.failures) {
      tell(`seed ${failed}: ${violations[0]}`);
    }
  }
  await thread.terminate();
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
    }
    return value;
  };
}
