/** What a store has lost after it had acknowledged it is noticed, by both adapters and by workers that have nothing to do. */
import {
  type JoinRequest,
  mapOrdered,
  offsetOf,
  type Ports,
  pipeline,
  sink,
  stream,
  type TaskRef,
} from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { memoryAdapter } from "@millrace/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { appendOf, commitOf, failure, newTopic, ok } from "../../packages/redis-adapter/test/support/ports.ts";
import {
  type RedisServer,
  startRedis,
  uniqueNamespace,
} from "../../packages/redis-adapter/test/support/redis-server.ts";
import { bench, type Item, items, sequence } from "../runtime/support/bench-top.ts";
import { pick, workerOf } from "../runtime/support/workers.ts";

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describe.each([
  ["in memory", () => memoryAdapter()],
  ["in Redis", () => redisAdapter({ url: redis.url, namespace: uniqueNamespace() })],
])("%s", (_, adapter) => {
  const opened = async (body: (ports: Ports) => Promise<void>): Promise<void> => {
    const ports = await ok(adapter().open());
    onTestFinished(() => ports.close());
    await body(ports);
  };

  it("G3: an input is not ended whose log has fewer records than its producer was told", () =>
    opened(async (ports) => {
      const topic = await newTopic(ports, "topic", 2);
      await ok(ports.log.append(appendOf(topic, { count: 3 })));
      const all = (...sequences: number[]) => ({ producer: "p", sequences });
      expect(await failure(ports.log.seal(topic, all(4, 0)))).toMatchObject({ _tag: "SequenceGap" });
      expect(await failure(ports.log.seal(topic, all(3, 1)))).toMatchObject({ _tag: "SequenceGap" });
      expect((await ok(ports.log.times(topic))).partitions.map(({ sealed }) => sealed)).toEqual([false, false]);
      await ok(ports.log.seal(topic, all(3, 0)));
      expect((await ok(ports.log.times(topic))).partitions.map(({ sealed }) => sealed)).toEqual([true, true]);
    }));

  it("G3: a commit up to a record that the log does not have moves nothing", () =>
    opened(async (ports) => {
      const topic = await newTopic(ports, "topic");
      const task: TaskRef = { group: "g", topic, partition: 0 };
      await ok(ports.log.append(appendOf(topic, { count: 1 })));
      const owner = await ok(ports.tasks.acquire(task, 1));
      const { end } = (await ok(ports.log.times(topic))).partitions[0] ?? { end: owner.offset };
      const ahead = offsetOf(`${Number(end.split("-")[0]) + 60_000}-0`, 0);
      const commit = commitOf(task, owner, { offset: ahead, processed: 2 });
      expect(await failure(ports.tasks.commit(commit))).toMatchObject({ _tag: "Regressed" });
      expect(await ok(ports.tasks.positions([task]))).toMatchObject([{ sequence: 0, offset: owner.offset }]);
      expect(await ok(ports.tasks.commit({ ...commit, offset: end, processed: 1 }))).toBe("applied");
    }));

  it("G6: a take that has its effect late, or twice, does not undo that its task is complete", () =>
    opened(async (ports) => {
      const request: JoinRequest = {
        group: "g",
        member: "a",
        instance: "i",
        previous: null,
        sessionMs: 600_000,
        revocationMs: 600_000,
        weight: 1,
        plan: { t: { partitions: 2, meaning: "m" } },
        host: "h",
        pid: 1,
      };
      const { epoch, generation } = await ok(ports.group.join(request));
      await ok(ports.group.propose({ ...request, epoch, generation, target: { a: ["t/0", "t/1"] } }));
      const { generation: current } = await ok(ports.group.snapshot("g"));
      const take = ports.group.take(request, current, ["t/0"]);
      await ok(take);
      expect(await ok(ports.group.give(request, { released: [], completed: ["t/0"] }))).toBe(1);
      expect((await ok(take)).granted).toMatchObject([{ task: "t/0" }]);
      expect((await ok(ports.group.snapshot("g"))).completed).toEqual(["t/0"]);
    }));
});

it("G3, G6: a worker that has nothing to do finds within a session that its store has lost a commit, and repeats it", async () => {
  const source = items("source", { partitions: 1 });
  const copy = items("copy", { partitions: 1 });
  const top = bench();
  const slowly = mapOrdered(
    (item: Item) =>
      new Promise<Item>((resolve) => {
        top.clock.after(500, () => resolve(item));
      }),
  );
  const worker = workerOf(top, { session: "2 s" });
  const running = await top.settle(worker.app.run(pipeline("copy", stream(source).pipe(slowly, sink(copy)))));
  await top.send(source, sequence(1), { end: false });
  const lose = top.adapter.snapshot();
  await top.clock.advance(1_000);
  expect(await top.read(copy)).toHaveLength(1);
  lose();
  expect(await top.read(copy)).toHaveLength(0);
  await top.clock.advance(4_000);
  expect(pick(worker.events, "Regressed")).toHaveLength(1);
  expect(await top.read(copy)).toHaveLength(1);
  await top.settle(running.stop());
});
