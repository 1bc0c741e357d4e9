import { describe, expect, it } from "vitest";
import { payloads } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, commitOf, records } from "./requests.ts";
import { useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** `Log.seal`. */
export function describeSeal(spec: PortsConformance): void {
  describe("seal", () => {
    const rig = useRig(spec);

    it("refuses new records in every partition from then on", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic(2);
      await ok(log.append(appendOf(topic, records(1))));
      await ok(log.seal(topic));
      await refused(log.append(appendOf(topic, records(1), { firstSequence: 1 })), "TopicSealed");
      await refused(log.append(appendOf(topic, records(1), { partition: 1 })), "TopicSealed");
      await refused(log.append(appendOf(topic, records(1), { producer: "another" })), "TopicSealed");
      expect(await payloads(log, topic)).toEqual(["0"]);
      expect(await payloads(log, topic, 1)).toEqual([]);
    });

    it("accepts repeats of what was appended before it", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      const call = log.append(appendOf(topic, records(3)));
      await ok(call);
      await ok(log.seal(topic));
      expect(await ok(call)).toBe(0);
    });

    it("refuses an append that overlaps what was there and goes on behind it", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(2))));
      await ok(log.seal(topic));
      await refused(log.append(appendOf(topic, records(3))), "TopicSealed");
      expect(await payloads(log, topic)).toEqual(["0", "1"]);
      expect(await ok(log.nextSequences(topic, "p"))).toEqual([2]);
    });

    it("can be repeated", async () => {
      const topic = await rig.topic();
      await ok(rig.ports.log.seal(topic));
      await ok(rig.ports.log.seal(topic));
      await refused(rig.ports.log.append(appendOf(topic, records(1))), "TopicSealed");
    });

    it("binds producers only: a task's outputs still enter the topic", async () => {
      const { log, tasks } = rig.ports;
      const topic = await rig.topic();
      await ok(log.seal(topic));
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      const outputs = [{ topic, partition: 0, records: records(2) }];
      expect(await ok(tasks.commit(commitOf(task, owner, { outputs })))).toBe("applied");
      expect(await payloads(log, topic)).toEqual(["0", "1"]);
    });

    it("seals nothing where the log has less than a producer was told it has", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic(2);
      await ok(log.append(appendOf(topic, records(2))));
      await ok(log.append(appendOf(topic, records(1), { partition: 1 })));
      await refused(log.seal(topic, { producer: "p", sequences: [2, 2] }), "SequenceGap");
      await refused(log.seal(topic, { producer: "p", sequences: [3, 1] }), "SequenceGap");
      await refused(log.seal(topic, { producer: "another", sequences: [0, 1] }), "SequenceGap");
      expect((await ok(log.times(topic))).partitions.map(({ sealed }) => sealed)).toEqual([false, false]);
      await ok(log.append(appendOf(topic, records(1), { firstSequence: 2 })));
      await ok(log.seal(topic, { producer: "p", sequences: [3, 1] }));
      expect((await ok(log.times(topic))).partitions.map(({ sealed }) => sealed)).toEqual([true, true]);
    });

    it("seals where the log has more than a producer says, and for one that never appended", async () => {
      const { log } = rig.ports;
      const [more, none] = [await rig.topic(), await rig.topic()];
      await ok(log.append(appendOf(more, records(2))));
      await ok(log.seal(more, { producer: "p", sequences: [1] }));
      await ok(log.seal(none, { producer: "p", sequences: [0] }));
      await refused(log.append(appendOf(none, records(1))), "TopicSealed");
    });

    it("tells a producer of a gap also where the topic was sealed before", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.seal(topic));
      await refused(log.seal(topic, { producer: "p", sequences: [1] }), "SequenceGap");
    });
  });
}
