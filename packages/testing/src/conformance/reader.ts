import { BEFORE_FIRST, compareOffsets, type Offset, type Reader, type StoredRecord } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { AMPLE, contents, payloads } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, otherIncarnation, record, records } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** A reader may notice that its topic is lost after a few reads: what protects data is the fence of the commit. */
const READS_TO_NOTICE = 5;

/** `Log.reader`. */
export function describeReader(spec: PortsConformance): void {
  describe("reader", () => {
    const rig = useRig(spec);

    it("starts with the first record behind the position it was given", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(3))));
      await ok(log.append(appendOf(topic, records(2, "b"), { firstSequence: 3 })));
      const all = await contents(log, topic);
      for (const [n, { offset }] of all.entries()) {
        const rest = await contents(log, topic, 0, offset);
        expect(rest.map(({ payload }) => payload)).toEqual(all.slice(n + 1).map(({ payload }) => payload));
      }
    });

    it("reads its own partition only", async () => {
      const topic = await rig.topic(2);
      await ok(rig.ports.log.append(appendOf(topic, records(2, "a"), { partition: 0 })));
      await ok(rig.ports.log.append(appendOf(topic, records(2, "b"), { partition: 1 })));
      expect(await payloads(rig.ports.log, topic, 1)).toEqual(["b0", "b1"]);
    });

    it("goes on where the last read ended, whatever the budgets", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(20))));
      await ok(log.append(appendOf(topic, records(25).slice(20), { firstSequence: 20 })));
      const reader = log.reader(topic, 0, BEFORE_FIRST);
      const found = await readToEnd(reader, [1, 7, 2, 3]);
      reader.close();
      expect(found.map(({ payload }) => payload)).toEqual(records(25).map(({ payload }) => payload));
    });

    it("never returns more records than the budget allows", async () => {
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, records(5))));
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      const { records: found, atEnd } = await ok(() => reader.next({ ...AMPLE, maxRecords: 3 }));
      reader.close();
      expect(found.length).toBeGreaterThan(0);
      expect(found.length).toBeLessThanOrEqual(3);
      expect(atEnd).toBe(false);
    });

    it("never returns more bytes than the budget allows, except for a single record", async () => {
      const topic = await rig.topic();
      const large = [record("x".repeat(50_000)), ...records(10), record("y".repeat(50_000)), ...records(3)];
      await ok(rig.ports.log.append(appendOf(topic, large)));
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      const found: StoredRecord[] = [];
      while (found.length < large.length) {
        const batch = await ok(() => reader.next({ maxRecords: 100, maxBytes: 5_000 }));
        const bytes = batch.records.reduce((sum, each) => sum + each.bytes, 0);
        expect(batch.records.length).toBeGreaterThan(0);
        expect(batch.records.length === 1 || bytes <= 5_000).toBe(true);
        found.push(...batch.records);
      }
      reader.close();
      expect(found.map(({ payload }) => payload)).toEqual(large.map(({ payload }) => payload));
    });

    it("says that it is at the end only when nothing lay behind", async () => {
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, records(4))));
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      const ends: boolean[] = [];
      for (let n = 0; n < 3; n++) {
        ends.push((await ok(() => reader.next({ ...AMPLE, maxRecords: 1 }))).atEnd);
      }
      expect(ends).toEqual([false, false, false]);
      // The read that takes the last record may or may not see that it was the last; the one after it must.
      const last = await ok(() => reader.next({ ...AMPLE, maxRecords: 1 }));
      expect(last.records).toHaveLength(1);
      expect(last.atEnd || (await ok(() => reader.next(AMPLE))).atEnd).toBe(true);
      reader.close();
    });

    it("misses nothing that is appended while it reads", async () => {
      const other = await rig.open();
      const topic = await rig.topic();
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      const producing = (async () => {
        for (let n = 0; n < 100; n++) {
          await ok(other.log.append(appendOf(topic, [record(`${n}`)], { firstSequence: n })));
        }
      })();
      const found: StoredRecord[] = [];
      while (found.length < 100) {
        found.push(...(await ok(() => reader.next({ ...AMPLE, maxRecords: 7 }))).records);
      }
      await producing;
      reader.close();
      expect(found.map(({ payload }) => payload)).toEqual(records(100).map(({ payload }) => payload));
    });

    it("does not disturb another reader of the same partition", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(4))));
      const readers = [log.reader(topic, 0, BEFORE_FIRST), log.reader(topic, 0, BEFORE_FIRST)];
      const found = await Promise.all(readers.map((reader) => readToEnd(reader, [1, 3])));
      readers[0]?.close();
      readers[1]?.close();
      expect(found.map((each) => each.map(({ payload }) => payload))).toEqual([
        ["0", "1", "2", "3"],
        ["0", "1", "2", "3"],
      ]);
    });

    it("returns nothing once it is closed, whatever lies behind", async () => {
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, records(4))));
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      await ok(() => reader.next({ ...AMPLE, maxRecords: 1 }));
      reader.close();
      expect((await ok(() => reader.next(AMPLE))).records).toEqual([]);
    });

    it("reports TopicLost for a topic that never existed", async () => {
      const missing = { name: fresh("missing"), partitions: 1, incarnation: fresh("incarnation") };
      const reader = rig.ports.log.reader(missing, 0, BEFORE_FIRST);
      await refused(() => lastOf(reader), "TopicLost");
      reader.close();
    });

    it("reports TopicLost for another incarnation", async () => {
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, records(1))));
      const reader = rig.ports.log.reader(otherIncarnation(topic), 0, BEFORE_FIRST);
      await refused(() => lastOf(reader), "TopicLost");
      reader.close();
    });

    it("reports TopicLost when the topic is deleted under it", async ({ skip }) => {
      const deleteTopic = need(rig.target.deleteTopic, skip);
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, records(1))));
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      await ok(() => reader.next(AMPLE));
      await deleteTopic(topic);
      await refused(() => lastOf(reader), "TopicLost");
      reader.close();
    });

    it("reports a foreign type in place of the partition", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const topic = await rig.topic();
      await corrupt({ kind: "partition", topic, partition: 0 });
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      await refused(() => reader.next(AMPLE), "WrongType");
      reader.close();
    });

    it("starts with the first record that is left when earlier ones were removed", async ({ skip }) => {
      const trim = need(rig.target.trim, skip);
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(3))));
      const through: Offset = (await contents(log, topic)).at(-1)?.offset ?? BEFORE_FIRST;
      await ok(log.append(appendOf(topic, records(5).slice(3), { firstSequence: 3 })));
      await trim(topic, 0, through);
      const found = await contents(log, topic);
      expect(found.map(({ payload }) => payload)).toEqual(["3", "4"]);
      expect(compareOffsets(found[0]?.offset ?? BEFORE_FIRST, through)).toBeGreaterThan(0);
      expect((await ok(log.times(topic))).partitions).toMatchObject([{ appended: 5 }]);
    });
  });
}

/** Reads until the end was seen, with budgets of as many records as `sizes` say, in turn. */
async function readToEnd(reader: Reader, sizes: readonly number[]): Promise<readonly StoredRecord[]> {
  const found: StoredRecord[] = [];
  for (let n = 0; ; n++) {
    const batch = await ok(() => reader.next({ ...AMPLE, maxRecords: sizes[n % sizes.length] ?? 1 }));
    found.push(...batch.records);
    if (batch.atEnd) {
      return found;
    }
  }
}

/** The first failure of a reader, or the last of a few reads. */
async function lastOf(reader: Reader): ReturnType<Reader["next"]> {
  let result = await reader.next(AMPLE);
  for (let n = 1; n < READS_TO_NOTICE && result._tag === "Right"; n++) {
    result = await reader.next(AMPLE);
  }
  return result;
}
