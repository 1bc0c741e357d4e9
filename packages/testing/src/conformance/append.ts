import { BEFORE_FIRST, compareOffsets } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { contents, payloads } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, record, records } from "./requests.ts";
import { need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** `Log.append` and `Log.nextSequences`: order, and exactly once per (producer, partition, sequence). */
export function describeAppend(spec: PortsConformance): void {
  describe("append", () => {
    const rig = useRig(spec);

    it("keeps the order of the records of a call, and of the calls", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(3, "a"))));
      await ok(log.append(appendOf(topic, records(2, "b"), { firstSequence: 3 })));
      const found = await contents(log, topic);
      expect(found.map(({ payload }) => payload)).toEqual(["a0", "a1", "a2", "b0", "b1"]);
      const offsets = [BEFORE_FIRST, ...found.map(({ offset }) => offset)];
      expect(offsets).toEqual(offsets.toSorted(compareOffsets));
      expect(new Set(offsets).size).toBe(offsets.length);
    });

    it("returns how many records it appended", async () => {
      const topic = await rig.topic();
      expect(await ok(rig.ports.log.append(appendOf(topic, records(3))))).toBe(3);
    });

    it("appends nothing for an empty call", async () => {
      const topic = await rig.topic();
      expect(await ok(rig.ports.log.append(appendOf(topic, [])))).toBe(0);
      expect(await payloads(rig.ports.log, topic)).toEqual([]);
    });

    it("appends nothing when a call is repeated", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      const call = log.append(appendOf(topic, records(3)));
      expect(await ok(call)).toBe(3);
      expect(await ok(call)).toBe(0);
      expect(await payloads(log, topic)).toEqual(["0", "1", "2"]);
    });

    it("appends once when a call is sent twice at once", async () => {
      const other = await rig.open();
      const topic = await rig.topic();
      const request = appendOf(topic, records(3));
      const appended = await Promise.all([ok(rig.ports.log.append(request)), ok(other.log.append(request))]);
      expect(appended.toSorted((a, b) => a - b)).toEqual([0, 3]);
      expect(await payloads(rig.ports.log, topic)).toEqual(["0", "1", "2"]);
    });

    it("appends only what is new when a call overlaps earlier ones", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(3))));
      expect(await ok(log.append(appendOf(topic, records(5))))).toBe(2);
      expect(await ok(log.append(appendOf(topic, records(6).slice(4), { firstSequence: 4 })))).toBe(1);
      expect(await payloads(log, topic)).toEqual(["0", "1", "2", "3", "4", "5"]);
    });

    it("appends nothing when an old call is repeated after newer ones", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      const old = log.append(appendOf(topic, records(2, "old")));
      await ok(old);
      await ok(log.append(appendOf(topic, records(5, "new"), { firstSequence: 2 })));
      expect(await ok(old)).toBe(0);
      expect(await ok(log.nextSequences(topic, "p"))).toEqual([7]);
    });

    it("refuses a gap in the sequence and writes nothing", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await refused(log.append(appendOf(topic, records(1), { firstSequence: 1 })), "SequenceGap");
      await ok(log.append(appendOf(topic, records(2))));
      await refused(log.append(appendOf(topic, records(2), { firstSequence: 3 })), "SequenceGap");
      expect(await payloads(log, topic)).toEqual(["0", "1"]);
      expect(await ok(log.nextSequences(topic, "p"))).toEqual([2]);
    });

    it("counts each producer's sequences for itself", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(2, "a"), { producer: "a" })));
      await ok(log.append(appendOf(topic, records(1, "b"), { producer: "b", ephemeral: true })));
      await ok(log.append(appendOf(topic, [record("a2")], { producer: "a", firstSequence: 2 })));
      expect(await payloads(log, topic)).toEqual(["a0", "a1", "b0", "a2"]);
      expect(await ok(log.nextSequences(topic, "a"))).toEqual([3]);
      expect(await ok(log.nextSequences(topic, "b"))).toEqual([1]);
      expect(await ok(log.nextSequences(topic, "stranger"))).toEqual([0]);
    });

    it("counts a producer's sequences in each partition for itself", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic(3);
      await ok(log.append(appendOf(topic, records(2, "a"), { partition: 0 })));
      await ok(log.append(appendOf(topic, records(1, "b"), { partition: 2 })));
      expect(await ok(log.nextSequences(topic, "p"))).toEqual([2, 0, 1]);
      expect(await Promise.all([0, 1, 2].map((n) => payloads(log, topic, n)))).toEqual([["a0", "a1"], [], ["b0"]]);
    });

    it("recognises a repeated call that comes through another session", async () => {
      const topic = await rig.topic();
      const first = await rig.open();
      await ok(first.log.append(appendOf(topic, records(2))));
      await first.close();
      expect(await ok(rig.ports.log.append(appendOf(topic, records(3))))).toBe(1);
      expect(await payloads(rig.ports.log, topic)).toEqual(["0", "1", "2"]);
    });

    it("gives up waiting for room when it is told to, and leaves nothing behind", async ({ skip }) => {
      const exhaust = need(rig.target.exhaust, skip);
      const { log } = rig.ports;
      const topic = await rig.topic();
      const relieve = await exhaust(topic, 0);
      const before = await ok(log.times(topic));
      const request = appendOf(topic, records(3));
      await refused(log.append({ ...request, signal: AbortSignal.timeout(50) }), "Full");
      expect(await ok(log.times(topic))).toEqual(before);
      await relieve();
      expect(await ok(log.append(request))).toBe(3);
    });

    it("is refused where a foreign type lies in place of the partition", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const topic = await rig.topic(2);
      await corrupt({ kind: "partition", topic, partition: 1 });
      await refused(rig.ports.log.append(appendOf(topic, records(1), { partition: 1 })), "WrongType");
      expect(await ok(rig.ports.log.append(appendOf(topic, records(1), { partition: 0 })))).toBe(1);
    });
  });
}
