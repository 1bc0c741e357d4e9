/** Looks at streams from outside, alike for both sides: each entry's field `v` is JSON. */
import type { Redis } from "ioredis";
import { parseOrder, Tally } from "./orders.ts";

const PAGE = 1_000;

/** Throws unless the streams together hold the first `count` orders, or what was made of them. */
export async function checkContent(redis: Redis, streams: readonly string[], count: number): Promise<void> {
  const tally = new Tally();
  for (const stream of streams) {
    for await (const { text } of readStream(redis, stream)) {
      tally.see(parseOrder(text));
    }
  }
  tally.check(streams.join(", "), count);
}

/** The entries of a stream, from its beginning to its end. */
export async function* readStream(
  redis: Redis,
  stream: string,
): AsyncGenerator<{ readonly id: string; readonly text: string }> {
  let after = "-";
  for (;;) {
    const page = await redis.xrange(stream, after, "+", "COUNT", PAGE);
    for (const [id, fields] of page) {
      yield { id, text: fields[fields.indexOf("v") + 1] ?? "" };
    }
    const last = page.at(-1);
    if (last === undefined) {
      return;
    }
    after = `(${last[0]}`;
  }
}

/** Throws unless the group has got everything in the streams, and acknowledged it. */
export async function checkConsumed(redis: Redis, streams: readonly string[], group: string): Promise<void> {
  for (const stream of streams) {
    const groups = (await redis.xinfo("GROUPS", stream)) as readonly (readonly unknown[])[];
    const info = groups.find((fields) => fields[fields.indexOf("name") + 1] === group) ?? [];
    const [lag, pending] = ["lag", "pending"].map((name) => info[info.indexOf(name) + 1]);
    if (lag !== 0 || pending !== 0) {
      throw new Error(`${stream}: group ${group} has lag ${String(lag)} and ${String(pending)} pending`);
    }
  }
}
