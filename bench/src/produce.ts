import type { Contest, OpenContender } from "./contender.ts";
import { appendAll, BATCH, streamsOf } from "./hand-written.ts";
import { appOf, logsOf, orderTopic } from "./millrace.ts";
import { makeOrders } from "./orders.ts";
import { checkContent } from "./streams.ts";

const millrace: OpenContender = ({ url, redis, records }) => {
  const orders = makeOrders(records);
  return Promise.resolve(async (id) => {
    const to = orderTopic(`orders-${id}`);
    const app = appOf(url, id);
    const producer = await app.producer(to);
    return {
      work: async () => {
        await producer.sendAll(orders);
      },
      check: () => checkContent(redis, logsOf(to), records),
      close: async () => {
        await app.close();
        await redis.del(logsOf(to));
      },
    };
  });
};

const ioredis: OpenContender = ({ redis, records }) => {
  const orders = makeOrders(records);
  return Promise.resolve((id) => {
    const topic = `orders-${id}`;
    return Promise.resolve({
      work: () => appendAll(redis, topic, orders),
      check: () => checkContent(redis, streamsOf(topic), records),
      close: async () => {
        await redis.del(streamsOf(topic));
      },
    });
  });
};

/** Values in memory to a topic. Millrace: in order for each key, each exactly once, also after a lost reply. */
export const produce: Contest = {
  title: "produce",
  rival: `pipelines of ${BATCH} XADD`,
  sides: { millrace, ioredis },
};
