/** The process of one side of one benchmark: `worker.js <benchmark> <side> <url> <records>`. Runs when it is told to. */
import { Redis } from "ioredis";
import { type BenchmarkName, benchmarks } from "./benchmarks.ts";
import type { Contender, Side } from "./contender.ts";
import { type Figures, measure } from "./measure.ts";

/** What a worker says: once when it is ready, then once for each run id that it is sent. */
export type Answer =
  | { readonly _tag: "ready" }
  | { readonly _tag: "measured"; readonly figures: Figures }
  | { readonly _tag: "failed"; readonly message: string };

const [name = "", side = "", url = "", records = ""] = process.argv.slice(2);
const redis = new Redis(url);
// Whoever started this process ends it by hanging up.
process.once("disconnect", () => process.exit());

function answer(message: Answer): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  answer({ _tag: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

async function run(contender: Contender, id: string): Promise<Figures> {
  const attempt = await contender(id);
  const figures = await measure(redis, () => attempt.work());
  await attempt.check();
  await attempt.close();
  return figures;
}

try {
  const open = benchmarks[name as BenchmarkName].sides[side as Side];
  const contender = await open({ url, redis, records: Number(records) });
  process.on("message", (id) => {
    run(contender, String(id)).then((figures) => answer({ _tag: "measured", figures }), fail);
  });
  answer({ _tag: "ready" });
} catch (error) {
  fail(error);
}
