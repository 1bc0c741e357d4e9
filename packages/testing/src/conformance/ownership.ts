import { BEFORE_FIRST, compareOffsets, type TaskRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { contents } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, commitOf, otherIncarnation, record, records } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** `Tasks.acquire`. */
export function describeOwnership(spec: PortsConformance): void {
  describe("ownership", () => {
    const rig = useRig(spec);

    it("of a task that never committed begins before the first record", async () => {
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, records(3))));
      const owner = await ok(rig.ports.tasks.acquire(await rig.task(topic), 1));
      expect(owner).toMatchObject({ sequence: 0, offset: BEFORE_FIRST, processed: 0, time: null });
      expect(owner.nonce).not.toBe("");
    });

    it("continues where the last commit left the task, in another session too", async () => {
      const { log, tasks } = rig.ports;
      const task = await rig.task();
      await ok(log.append(appendOf(task.topic, records(3))));
      const offset = (await contents(log, task.topic))[1]?.offset ?? BEFORE_FIRST;
      const owner = await ok(tasks.acquire(task, 1));
      const time = '{"Ω":"🚂"}';
      await ok(tasks.commit(commitOf(task, owner, { offset, processed: 2, time: "first" })));
      await ok(tasks.commit(commitOf(task, owner, { sequence: 1, offset, processed: 2, time })));
      const next = await ok((await rig.open()).tasks.acquire(task, 1));
      expect(next).toMatchObject({ sequence: 2, processed: 2, time });
      expect(compareOffsets(next.offset, offset)).toBe(0);
    });

    it("tells an empty time from none", async () => {
      const task = await rig.task();
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      await ok(rig.ports.tasks.commit(commitOf(task, owner, { time: "" })));
      expect((await ok(rig.ports.tasks.acquire(task, 1))).time).toBe("");
    });

    it("is taken over by the next acquisition, of the same generation too", async () => {
      const { tasks } = rig.ports;
      const task = await rig.task();
      const first = await ok(tasks.acquire(task, 3));
      const second = await ok(tasks.acquire(task, 3));
      expect(second.nonce).not.toBe(first.nonce);
      await refused(tasks.commit(commitOf(task, first)), "Fenced");
      expect(await ok(tasks.commit(commitOf(task, second)))).toBe("applied");
    });

    it("is one and the same however often its call is carried out, and fences nobody", async () => {
      const { tasks } = rig.ports;
      const task = await rig.task();
      const call = tasks.acquire(task, 3);
      const owner = await ok(call);
      // The store's clock goes on between the two.
      expect({ ...(await ok(call)), quietMs: 0 }).toEqual({ ...owner, quietMs: 0 });
      expect(await ok(tasks.commit(commitOf(task, owner)))).toBe("applied");
      const again = await ok(call);
      expect(again).toMatchObject({ nonce: owner.nonce, sequence: 1 });
      expect(await ok(tasks.commit(commitOf(task, again)))).toBe("applied");
    });

    it("is one when its call is carried out twice at once", async () => {
      const { tasks } = rig.ports;
      const task = await rig.task();
      const call = tasks.acquire(task, 1);
      const [one, two] = await Promise.all([ok(call), ok(call)]);
      // The store's clock goes on between the two.
      expect({ ...one, quietMs: 0 }).toEqual({ ...two, quietMs: 0 });
      expect(await ok(tasks.commit(commitOf(task, one)))).toBe("applied");
    });

    it("is refused below the generation of an earlier acquisition, and stays where it is", async () => {
      const { tasks } = rig.ports;
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 10));
      await refused(tasks.acquire(task, 9), "Fenced");
      expect(await ok(tasks.commit(commitOf(task, owner)))).toBe("applied");
      await ok(tasks.acquire(task, 11));
      await refused(tasks.acquire(task, 10), "Fenced");
    });

    it("goes to one of two that acquire at once", async () => {
      const { tasks } = rig.ports;
      const other = await rig.open();
      const task = await rig.task();
      const owners = await Promise.all([ok(tasks.acquire(task, 1)), ok(other.tasks.acquire(task, 1))]);
      const results = await Promise.all(owners.map((owner) => tasks.commit(commitOf(task, owner))()));
      expect(results.map(({ _tag }) => _tag).toSorted()).toEqual(["Left", "Right"]);
    });

    it("of one task says nothing about other groups, topics and partitions", async () => {
      const { tasks } = rig.ports;
      const task = await rig.task(await rig.topic(2));
      const others: readonly TaskRef[] = [
        { ...task, partition: 1 },
        { ...task, group: fresh("group") },
        { ...task, topic: await rig.topic(2) },
      ];
      const owner = await ok(tasks.acquire(task, 5));
      for (const other of others) {
        expect(await ok(tasks.acquire(other, 1))).toMatchObject({ sequence: 0 });
      }
      expect(await ok(tasks.commit(commitOf(task, owner)))).toBe("applied");
      for (const other of others) {
        expect(await ok(tasks.acquire(other, 1))).toMatchObject({ sequence: 0 });
      }
    });

    it("of a task that nobody ever acquired is nobody's", async () => {
      const task = await rig.task();
      await refused(
        rig.ports.tasks.commit(
          commitOf(task, { nonce: "", sequence: 0, offset: BEFORE_FIRST, processed: 0, time: null, quietMs: 0 }),
        ),
        "Fenced",
      );
    });

    it("is refused for a topic that never existed, and for another incarnation", async () => {
      const { tasks } = rig.ports;
      const missing = { name: fresh("missing"), partitions: 1, incarnation: fresh("incarnation") };
      await refused(tasks.acquire(await rig.task(missing), 1), "TopicLost");
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      await refused(tasks.acquire({ ...task, topic: otherIncarnation(task.topic) }, 2), "TopicLost");
      expect(await ok(tasks.commit(commitOf(task, owner)))).toBe("applied");
    });

    it("is refused for a task whose topic was deleted and created again", async ({ skip }) => {
      const deleteTopic = need(rig.target.deleteTopic, skip);
      const { log, tasks } = rig.ports;
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      await ok(tasks.commit(commitOf(task, owner)));
      await deleteTopic(task.topic);
      await refused(tasks.acquire(task, 2), "TopicLost");
      const again = await ok(log.ensureTopic({ name: task.topic.name, partitions: 1, defaultPartitions: 1 }));
      await refused(tasks.acquire(task, 2), "TopicLost");
      await refused(tasks.acquire({ ...task, topic: again }, 2), "TopicLost");
      expect(await ok(tasks.acquire({ ...task, topic: again, group: fresh("group") }, 2))).toMatchObject({
        sequence: 0,
      });
    });

    it("of a new task counts the records removed before its first read", async ({ skip }) => {
      const trim = need(rig.target.trim, skip);
      const { log, tasks } = rig.ports;
      const task = await rig.task();
      await ok(log.append(appendOf(task.topic, records(3))));
      const through = (await contents(log, task.topic)).at(-1)?.offset ?? BEFORE_FIRST;
      await ok(log.append(appendOf(task.topic, [record("left")], { firstSequence: 3 })));
      await trim(task.topic, 0, through);
      expect(await ok(tasks.acquire(task, 1))).toMatchObject({ sequence: 0, processed: 3 });
    });

    it("is refused where a foreign type lies in place of the task", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const { tasks } = rig.ports;
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      await corrupt({ kind: "task", task });
      await refused(tasks.acquire(task, 1), "WrongType");
      await refused(tasks.commit(commitOf(task, owner)), "WrongType");
    });
  });
}
