/** A worker process: `poison-worker.js <config as JSON>`. Works until it is killed or told to stop by SIGTERM. */
import { existsSync, openSync, writeSync } from "node:fs";
import { createApp } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { APP, type Numbered, type PlanConfig, poisonPlan } from "./poison-plan.ts";

export interface PoisonWorkerConfig extends PlanConfig {
  readonly url: string;
  readonly namespace: string;
  readonly member: string;
  /** The numbers that cannot be processed as long as `repairedFile` is not there. */
  readonly bad: readonly number[];
  readonly repairedFile: string;
  /** So long a call takes from then on, as work of the processor: a redrive lasts long enough to be hit. */
  readonly takesMs: number;
  /** Where the process writes down what it sees. */
  readonly file: string;
  /** `null`: as often as it takes. */
  readonly attempts: number | null;
}

const config = JSON.parse(process.argv[2] ?? "") as PoisonWorkerConfig;
const { url, namespace, member, bad, repairedFile, attempts, takesMs } = config;
const cell = new Int32Array(new SharedArrayBuffer(4));
const file = openSync(config.file, "a");

/** Written at once: what a process saw before it was killed is evidence. */
function write(line: object): void {
  writeSync(file, `${JSON.stringify(line)}\n`);
}

function check(item: Numbered): Numbered {
  write({ _tag: "Called", n: item.n });
  const isRepaired = existsSync(repairedFile);
  if (bad.includes(item.n) && !isRepaired) {
    throw new RangeError(`no ${item.n}`);
  }
  if (isRepaired && takesMs > 0) {
    Atomics.wait(cell, 0, 0, takesMs);
  }
  return item;
}

process.once("disconnect", () => process.exit());

const app = createApp({
  name: APP,
  adapter: redisAdapter({ url, namespace }),
  member: { id: member, session: "1 s" },
  restart: { backoff: "50 ms", longest: "400 ms", ...(attempts === null ? {} : { attempts }) },
});
app.events$.subscribe((event) => {
  const error = "error" in event && event.error instanceof Error ? event.error.message : null;
  write({ ...event, error });
});
try {
  const running = await app.run(poisonPlan(config, check));
  process.once("SIGTERM", () => void running.stop({ within: "5 s" }));
  await running.done;
  await app.close();
  process.exit(0);
} catch (error) {
  write({ _tag: "Ended", error: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
