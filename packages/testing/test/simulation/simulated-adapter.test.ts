import { BEFORE_FIRST, type GroupHint, type NewRecord, type Ports, type Reader } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { type MemoryAdapter, memoryAdapter } from "../../src/index.ts";
import { Scheduler, SimulatedAdapter, SimulatedProcess, type Weather } from "../../src/simulation.ts";

const FAIR: Weather = { latencyMs: 10, breaks: 0, doubles: 0, lostHints: 0 };
const AMPLE = { maxRecords: 100, maxBytes: 1_000_000 };

interface Scene {
  readonly scheduler: Scheduler;
  readonly adapter: SimulatedAdapter;
  readonly store: MemoryAdapter;
  readonly ports: Ports;
}

/** Plays a scene of one client. */
async function scene(act: (at: Scene) => Promise<void>, weather: Partial<Weather> = {}, seed = 1): Promise<void> {
  const scheduler = new Scheduler(seed);
  const [client, server] = [new SimulatedProcess(scheduler, "client"), new SimulatedProcess(scheduler, "server")];
  const store = memoryAdapter({ clock: server });
  const ends = { scheduler, client, server, random: scheduler.random, weather: { ...FAIR, ...weather } };
  const adapter = new SimulatedAdapter(store, ends);
  await scheduler.play(async () => {
    const ports = await ok(adapter.open());
    await act({ scheduler, adapter, store, ports });
  }, 100_000);
}

async function ok<A>(call: TaskEither<unknown, A>): Promise<A> {
  const result = await call();
  if (E.isLeft(result)) {
    throw new Error(`refused: ${JSON.stringify(result.left)}`);
  }
  return result.right;
}

function passed({ scheduler }: Scene, ms: number): Promise<void> {
  return new Promise((resolve) => {
    scheduler.outside.after(ms, resolve);
  });
}

function records(...payloads: readonly string[]): readonly NewRecord[] {
  return payloads.map((payload) => ({ key: "k", timestampMs: 0, payload, headers: {}, watermarkMs: null }));
}

async function topicOf({ log }: Ports) {
  return await ok(log.ensureTopic({ name: "t", partitions: 1, defaultPartitions: 1 }));
}

async function append({ log }: Ports, topic: Awaited<ReturnType<typeof topicOf>>, first: number, payload: string) {
  const request = { topic, partition: 0, producer: "p", ephemeral: false, firstSequence: first };
  return await ok(log.append({ ...request, records: records(payload) }));
}

/** What a reader brings now; nothing where the connection breaks. */
async function payloadsIn(reader: Reader, maxRecords: number): Promise<readonly string[]> {
  const batch = await reader.next({ ...AMPLE, maxRecords });
  return E.isRight(batch) ? batch.right.records.map(({ payload }) => payload) : [];
}

const JOIN = {
  group: "g",
  member: "m",
  instance: "i",
  previous: null,
  sessionMs: 10_000,
  revocationMs: 10_000,
  weight: 1,
  plan: { t: { partitions: 1, meaning: "x" } },
  host: "h",
  pid: 1,
} as const;

describe("a simulated adapter", () => {
  it("carries every port's calls to the store and back", async () => {
    await scene(async ({ ports }) => {
      const topic = await topicOf(ports);
      expect(await append(ports, topic, 0, "a")).toBe(1);
      const task = { group: "g", topic, partition: 0 };
      expect(await ok(ports.tasks.acquire(task, 1))).toMatchObject({ sequence: 0 });
      expect(await ok(ports.state.get(task, "s", ["k"]))).toEqual([null]);
      expect(await ok(ports.group.join(JOIN))).toMatchObject({ epoch: 1 });
    });
  });

  it("reads on behind what has arrived, whatever breaks on the way", async () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      await scene(
        async ({ ports, store }) => {
          const direct = await ok(store.open());
          const topic = await topicOf(direct);
          const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
          const seen: string[] = [];
          for (let n = 0; seen.length < 10; n += 1) {
            await append(direct, topic, Math.min(n, 9), String(n));
            seen.push(...(await payloadsIn(reader, 2)));
          }
          expect(seen).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        },
        { breaks: 0.4, doubles: 0.5 },
        seed,
      );
    }
  });

  it("is one acquisition where a call is run again, as the ports promise", async () => {
    await scene(async ({ ports }) => {
      const topic = await topicOf(ports);
      const call = ports.tasks.acquire({ group: "g", topic, partition: 0 }, 1);
      const [first, again] = [await ok(call), await ok(call)];
      expect(again.nonce).toBe(first.nonce);
    });
  });

  it("goes on with a store that has come back without its last writes", async () => {
    await scene(async (at) => {
      const { ports, store, adapter } = at;
      const topic = await topicOf(ports);
      await append(ports, topic, 0, "kept");
      const restore = store.snapshot();
      await append(ports, topic, 1, "lost");
      const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
      expect(await reader.next(AMPLE)).toMatchObject({
        right: { records: [{ payload: "kept" }, { payload: "lost" }] },
      });
      const waiting = reader.next(AMPLE);
      await passed(at, 50);
      restore();
      adapter.restartStore();
      expect(await waiting).toMatchObject({ left: { _tag: "Unavailable" } });
      expect(await ok(ports.log.nextSequences(topic, "p"))).toEqual([1]);
      await append(ports, topic, 1, "again");
      expect(await reader.next(AMPLE)).toMatchObject({ right: { records: [{ payload: "again" }] } });
    });
  });

  it("brings hints, late or not at all, also from a store that has restarted", async () => {
    const heard = async (weather: Partial<Weather>): Promise<readonly GroupHint[]> => {
      const hints: GroupHint[] = [];
      await scene(async (at) => {
        const { ports, adapter } = at;
        const stop = ports.group.watch("g", (hint) => void hints.push(hint));
        const ref = { group: "g", member: "m", instance: "i" };
        const { epoch, generation } = await ok(ports.group.join(JOIN));
        await ok(ports.group.propose({ ...ref, epoch, generation, target: { m: ["t/0"] } }));
        await passed(at, 50);
        adapter.restartStore();
        await passed(at, 50);
        const { generation: next } = await ok(ports.group.snapshot("g"));
        await ok(ports.group.propose({ ...ref, epoch, generation: next, target: { m: [] } }));
        await passed(at, 50);
        stop();
        await ok(ports.group.leave(ref));
        await passed(at, 50);
      }, weather);
      return hints;
    };
    expect(await heard({})).toEqual([{ kind: "changed" }, { kind: "changed" }]);
    expect(await heard({ lostHints: 1 })).toEqual([]);
  });

  it("ends the wait of a reader that is closed", async () => {
    await scene(async (at) => {
      const { ports } = at;
      const topic = await topicOf(ports);
      const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
      const waiting = reader.next(AMPLE);
      await passed(at, 50);
      reader.close();
      expect(await waiting).toEqual(E.right({ records: [], atEnd: false }));
    });
  });
});
