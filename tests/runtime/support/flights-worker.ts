/**
 * A worker process: `flights-worker.js <config as JSON>`. Works until everything is processed, or until it is killed. Sends its
 * parent a message once it has done enough to be killed.
 */
import { appendFileSync } from "node:fs";
import { createApp } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { APP, flightPipelines, isTrouble } from "./flights-plan.ts";

export interface FlightsWorkerConfig {
  readonly url: string;
  readonly namespace: string;
  readonly member: string;
  /** Where the process writes down what should not happen, a line each. */
  readonly file: string;
  /** After so many committed records it has done enough. */
  readonly enough: number;
}

const { url, namespace, member, file, enough } = JSON.parse(process.argv[2] ?? "") as FlightsWorkerConfig;

/** Written at once: what a process saw before it was killed is evidence. */
function write(trouble: object): void {
  appendFileSync(file, `${JSON.stringify(trouble)}\n`);
}

process.once("disconnect", () => process.exit());

const app = createApp({ name: APP, adapter: redisAdapter({ url, namespace }), member: { id: member, session: "1 s" } });
let committed = 0;
app.events$.subscribe((event) => {
  if (isTrouble(event)) {
    write(event);
  }
  if (event._tag === "Committed" && committed < enough) {
    committed += event.records;
    if (committed >= enough) {
      process.send?.("enough");
    }
  }
});
try {
  const running = await app.run(flightPipelines());
  await running.done;
  await app.close();
  process.exit(0);
} catch (error) {
  write({ _tag: "Ended", error: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
