import { filter, pipeline, sink, stream } from "@millrace/core";
import type { Contest, OpenContender } from "./contender.ts";
import { appendAll, BATCH, createGroup, readGroup, streamsOf } from "./hand-written.ts";
import { appOf, createTopic, fill, logsOf, orderTopic, runUntilCommitted } from "./millrace.ts";
import { makeOrders, type Order, parseOrder, Tally } from "./orders.ts";
import { checkConsumed } from "./streams.ts";

const millrace: OpenContender = async ({ url, redis, records }) => {
  const from = orderTopic("orders");
  const kept = orderTopic("kept");
  await fill(url, from, records);
  return async (id) => {
    const tally = new Tally();
    const seen = (order: Order): boolean => {
      tally.see(order);
      return false;
    };
    const consumer = pipeline("consume", stream(from).pipe(filter(seen), sink(kept)));
    const app = appOf(url, id);
    await createTopic(app, kept);
    return {
      work: () => runUntilCommitted(app, consumer, records),
      check: async () => {
        tally.check("consumed", records);
        await checkConsumed(redis, logsOf(from), `${id}.consume`);
      },
      close: () => app.close(),
    };
  };
};

const ioredis: OpenContender = async ({ redis, records }) => {
  const streams = streamsOf("orders");
  await appendAll(redis, "orders", makeOrders(records));
  return async (group) => {
    const tally = new Tally();
    await createGroup(redis, streams, group);
    return {
      work: () =>
        readGroup(redis, { streams, group }, ({ stream: from, ids, texts }) => {
          for (const text of texts) {
            tally.see(parseOrder(text));
          }
          return redis.xack(from, group, ...ids);
        }),
      check: async () => {
        tally.check("consumed", records);
        await checkConsumed(redis, streams, group);
      },
      close: () => Promise.resolve(),
    };
  };
};

/** Every record decoded, validated, seen and acknowledged. Millrace: with a fenced commit. */
export const consume: Contest = {
  title: "consume and commit",
  rival: `XREADGROUP ${BATCH} + XACK`,
  sides: { millrace, ioredis },
};
