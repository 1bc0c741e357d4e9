import { BEFORE_FIRST, type Commit, type NewRecord, type Ports, type TaskRef, type TopicInfo } from "@millrace/core";
import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { createVirtualClock, memoryAdapter } from "../src/index.ts";

async function ok<A>(call: TaskEither<unknown, A>): Promise<A> {
  const result = await call();
  if (E.isLeft(result)) {
    throw new Error(`refused: ${JSON.stringify(result.left)}`);
  }
  return result.right;
}

function record(payload: string): NewRecord {
  return { key: "k", timestampMs: 0, payload, headers: {}, watermarkMs: null };
}

interface World {
  readonly ports: Ports;
  readonly source: TopicInfo;
  readonly out: TopicInfo;
  readonly task: TaskRef;
  appended: number;
}

/** Changes something of everything that a store keeps. */
async function change(world: World, n: number): Promise<void> {
  const { ports, source, out, task } = world;
  const append = { topic: source, partition: 0, producer: "p", ephemeral: false, firstSequence: world.appended };
  world.appended += await ok(ports.log.append({ ...append, records: [record(`in ${n}`)] }));
  const { nonce, sequence } = await ok(ports.tasks.acquire(task, n));
  const { partitions } = await ok(ports.log.times(source));
  const commit: Commit = {
    task,
    nonce,
    sequence,
    offset: partitions[0]?.end ?? BEFORE_FIRST,
    processed: world.appended,
    outputs: [{ topic: out, partition: 0, records: [record(`out ${n}`)] }],
    state: [{ store: `s${n % 2}`, puts: [[`k${n % 3}`, `${n}`, n]], deletes: [`k${(n + 1) % 3}`] }],
    time: `${n}`,
    watermarks: [{ topic: out, writer: `w${n % 2}`, watermarkMs: n }],
  };
  await ok(ports.tasks.commit(commit));
  const ref = { group: "g", member: `m${n % 3}`, instance: `i${n % 3}` };
  const plan = { source: { partitions: 1, meaning: "" } };
  const join = { ...ref, previous: null, sessionMs: 9e9, revocationMs: 9e9, weight: 1, plan, host: "h", pid: 1 };
  await ok(ports.group.join(join));
}

/** All that can be seen of a store. */
async function contents({ ports, source, out, task }: World): Promise<unknown> {
  const range = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY, limit: 100 };
  const logs = await Promise.all(
    [source, out].map(async (topic) => {
      const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
      const { partitions } = await ok(ports.log.times(topic));
      const batch = partitions[0]?.appended === 0 ? null : await reader.next({ maxRecords: 1_000, maxBytes: 1e9 });
      reader.close();
      return batch;
    }),
  );
  return {
    logs,
    times: [await ok(ports.log.times(source)), await ok(ports.log.times(out))],
    sequences: await ok(ports.log.nextSequences(source, "p")),
    positions: await ok(ports.tasks.positions([task])),
    state: [await ok(ports.state.scan(task, "s0", null)), await ok(ports.state.due(task, "s0", range))],
    group: { ...(await ok(ports.group.snapshot("g"))) },
  };
}

async function newWorld(): Promise<World & { readonly snapshot: () => () => void }> {
  const adapter = memoryAdapter({ clock: createVirtualClock() });
  const ports = await ok(adapter.open());
  const topic = (name: string) => ok(ports.log.ensureTopic({ name, partitions: 1, defaultPartitions: 1 }));
  const [source, out] = [await topic("source"), await topic("out")];
  return {
    ports,
    source,
    out,
    task: { group: "g", topic: source, partition: 0 },
    appended: 0,
    snapshot: () => adapter.snapshot(),
  };
}

describe("a snapshot of the memory adapter", () => {
  it("brings everything back that was there, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 5 }), fc.integer({ min: 1, max: 5 }), async (before, since) => {
        const world = await newWorld();
        for (let n = 1; n <= before; n += 1) {
          await change(world, n);
        }
        const [then, restore] = [await contents(world), world.snapshot()];
        for (let n = before + 1; n <= before + since; n += 1) {
          await change(world, n);
        }
        expect(await contents(world)).not.toEqual(then);
        restore();
        expect(await contents(world)).toEqual(then);
      }),
      { numRuns: 60 },
    );
  });

  it("brings topics and seals back that were deleted, made or set since", async () => {
    const adapter = memoryAdapter({ clock: createVirtualClock() });
    const { log } = await ok(adapter.open());
    const made = (name: string) => log.ensureTopic({ name, partitions: null, defaultPartitions: 2 });
    const [kept, open] = [await ok(made("kept")), await ok(made("open"))];
    const restore = adapter.snapshot();
    adapter.deleteTopic("kept");
    await ok(log.seal(open));
    const late = await ok(made("late"));
    restore();
    expect(await ok(made("kept"))).toEqual(kept);
    expect((await ok(log.times(open))).partitions.map(({ sealed }) => sealed)).toEqual([false, false]);
    expect(await log.times(late)()).toMatchObject({ left: { _tag: "TopicLost" } });
  });

  it("gives no offset twice, and goes on where the log ends then", async () => {
    const world = await newWorld();
    await change(world, 1);
    const restore = world.snapshot();
    await change(world, 2);
    const { end: lost } = (await ok(world.ports.log.times(world.source))).partitions[0] ?? {};
    restore();
    world.appended = 1;
    await change(world, 3);
    const { end, appended } = (await ok(world.ports.log.times(world.source))).partitions[0] ?? {};
    expect(end).not.toBe(lost);
    expect(appended).toBe(2);
  });

  it("cannot bring back what one from before it has taken away", async () => {
    const world = await newWorld();
    const first = world.snapshot();
    await change(world, 1);
    const second = world.snapshot();
    first();
    expect(second).toThrow(RangeError);
  });
});
