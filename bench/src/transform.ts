import { map, pipeline, sink, stream } from "@millrace/core";
import type { Contest, OpenContender } from "./contender.ts";
import { appendAll, BATCH, createGroup, readGroup, streamFor, streamsOf } from "./hand-written.ts";
import { appOf, createTopic, fill, invoiceTopic, logsOf, orderTopic, runUntilCommitted } from "./millrace.ts";
import { invoiceOf, makeOrders, parseOrder } from "./orders.ts";
import { checkConsumed, checkContent } from "./streams.ts";

const millrace: OpenContender = async ({ url, redis, records }) => {
  const from = orderTopic("orders");
  await fill(url, from, records);
  return async (id) => {
    const to = invoiceTopic(`invoices-${id}`);
    const transformer = pipeline("transform", stream(from).pipe(map(invoiceOf), sink(to)));
    const app = appOf(url, id);
    await createTopic(app, to);
    return {
      work: () => runUntilCommitted(app, transformer, records),
      check: async () => {
        await checkContent(redis, logsOf(to), records);
        await checkConsumed(redis, logsOf(from), `${id}.transform`);
      },
      close: async () => {
        await app.close();
        await redis.del(logsOf(to));
      },
    };
  };
};

const ioredis: OpenContender = async ({ redis, records }) => {
  const streams = streamsOf("orders");
  await appendAll(redis, "orders", makeOrders(records));
  return async (group) => {
    const to = `invoices-${group}`;
    await createGroup(redis, streams, group);
    return {
      work: () =>
        readGroup(redis, { streams, group }, ({ stream: from, ids, texts }) => {
          const writes = redis.pipeline();
          for (const text of texts) {
            const invoice = invoiceOf(parseOrder(text));
            writes.xadd(streamFor(to, invoice), "*", "v", JSON.stringify(invoice));
          }
          writes.xack(from, group, ...ids);
          return writes.exec();
        }),
      check: async () => {
        await checkContent(redis, streamsOf(to), records);
        await checkConsumed(redis, streams, group);
      },
      close: async () => {
        await redis.del(streamsOf(to));
      },
    };
  };
};

/** Each record read, changed and written to another topic. Millrace: in one step, exactly once; the rival is not atomic. */
export const transform: Contest = {
  title: "transform",
  rival: `XREADGROUP ${BATCH} → pipeline of XADD + XACK`,
  sides: { millrace, ioredis },
};
