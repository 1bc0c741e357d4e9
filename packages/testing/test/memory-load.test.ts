import { BEFORE_FIRST, type NewRecord, type TopicInfo } from "@millrace/core";
import { beforeEach, describe, expect, it } from "vitest";
import { ok } from "../src/conformance/outcome.ts";
import { LIMIT_BYTES, named, type SmallBroker, startSmallBroker } from "./support/small-broker.ts";

let broker: SmallBroker;

beforeEach(async () => {
  broker = await startSmallBroker();
});

describe("memory under load", () => {
  it("stays bounded with a fast producer and a slower consumer, and loses nothing", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    const total = 20_000;
    const batch = 100;
    let peak = 0;
    let timerCalls = 0;
    const timer = setInterval(() => {
      timerCalls += 1;
    }, 1);
    const producing = (async () => {
      for (let firstSequence = 0; firstSequence < total; firstSequence += batch) {
        const records = Array.from({ length: batch }, (_, n) => named(`${firstSequence + n}`, 10));
        await ok(
          broker.ports.log.append({ topic, partition: 0, producer: "p", ephemeral: true, firstSequence, records }),
        );
        peak = Math.max(peak, broker.adapter.bytes());
      }
    })();
    const reader = broker.ports.log.reader(topic, 0, BEFORE_FIRST);
    const seen: string[] = [];
    while (seen.length < total) {
      const { records } = await ok(() => reader.next({ maxRecords: 70, maxBytes: 1e9 }));
      seen.push(...records.map(({ key }) => key));
      await ok(worker.commit({ offset: records.at(-1)?.offset ?? BEFORE_FIRST }));
    }
    await producing;
    clearInterval(timer);
    reader.close();
    expect(seen).toEqual(Array.from({ length: total }, (_, n) => `${n}`));
    expect(peak).toBeGreaterThan(LIMIT_BYTES / 2);
    expect(peak).toBeLessThan(LIMIT_BYTES + batch * 250);
    // Nothing here waits for I/O; timers must have their turn all the same.
    expect(timerCalls).toBeGreaterThan(0);
  });

  it("flows through a chain of tasks whose topics all are full again and again", async () => {
    const [one, two, three] = [await broker.topic("one"), await broker.topic("two"), await broker.topic("three")];
    const total = 3000;
    const small = (n: number): NewRecord => named(`${n}`, 500);
    async function relay(from: TopicInfo, to: TopicInfo | null): Promise<string[]> {
      const worker = await broker.worker("relay", from);
      const reader = broker.ports.log.reader(from, 0, BEFORE_FIRST);
      const seen: string[] = [];
      while (seen.length < total) {
        const { records } = await ok(() => reader.next({ maxRecords: 37, maxBytes: 1e9 }));
        const outputs = to === null ? [] : [{ topic: to, partition: 0, records }];
        await ok(worker.commit({ offset: records.at(-1)?.offset ?? BEFORE_FIRST, outputs }));
        seen.push(...records.map(({ key }) => key));
      }
      reader.close();
      return seen;
    }
    const relays = [relay(one, two), relay(two, three), relay(three, null)];
    for (let firstSequence = 0; firstSequence < total; firstSequence += 50) {
      const records = Array.from({ length: 50 }, (_, n) => small(firstSequence + n));
      const request = { topic: one, partition: 0, producer: "p", ephemeral: true, firstSequence, records };
      await ok(broker.ports.log.append(request));
    }
    const seen = await Promise.all(relays);
    expect(seen[2]).toEqual(Array.from({ length: total }, (_, n) => `${n}`));
    expect(broker.adapter.bytes()).toBeLessThan(3 * (LIMIT_BYTES + 50 * 1000));
  });
});
