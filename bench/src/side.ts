import { Redis } from "ioredis";
import type { Side } from "./contender.ts";
import { type ContestName, contests } from "./contests.ts";
import { type Figures, measure } from "./measure.ts";

/** One side of a contest, `<contest> <side> <url> <records>`: runs once for each run id that it is asked for. */
export async function openSide(args: readonly string[]): Promise<(request: unknown) => Promise<Figures>> {
  const [name = "", side = "", url = "", records = ""] = args;
  const redis = new Redis(url);
  const open = contests[name as ContestName].sides[side as Side];
  const contender = await open({ url, redis, records: Number(records) });
  return async (id) => {
    const attempt = await contender(String(id));
    const figures = await measure(redis, () => attempt.work());
    await attempt.check();
    await attempt.close();
    return figures;
  };
}
