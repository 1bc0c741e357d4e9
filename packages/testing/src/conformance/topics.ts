import type { Log, PortError, TopicInfo } from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { contents } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, otherIncarnation, record } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** Calls on a topic that must notice when the topic is not the one that the caller knows. */
const CALLS: readonly (readonly [string, (log: Log, topic: TopicInfo) => TaskEither<PortError, unknown>])[] = [
  ["append", (log, topic) => log.append(appendOf(topic, [record("x")]))],
  ["nextSequences", (log, topic) => log.nextSequences(topic, "p")],
  ["seal", (log, topic) => log.seal(topic)],
  ["registerWriters", (log, topic) => log.registerWriters(topic, ["w"])],
  ["times", (log, topic) => log.times(topic)],
];

/** `Log.ensureTopic`, and what becomes of topics that are not there. */
export function describeTopics(spec: PortsConformance): void {
  describe("topics", () => {
    const rig = useRig(spec);

    it("are created with the number of partitions asked for", async () => {
      const name = fresh("topic");
      const topic = await ok(rig.ports.log.ensureTopic({ name, partitions: 5, defaultPartitions: 3 }));
      expect(topic).toMatchObject({ name, partitions: 5 });
      expect(topic.incarnation).not.toBe("");
    });

    it("are created with the default number where none is asked for", async () => {
      const wanted = { name: fresh("topic"), partitions: null, defaultPartitions: 3 };
      expect(await ok(rig.ports.log.ensureTopic(wanted))).toMatchObject({ partitions: 3 });
    });

    it("are taken as they exist where no number is asked for", async () => {
      const topic = await rig.topic(5);
      const wanted = { name: topic.name, partitions: null, defaultPartitions: 3 };
      expect(await ok(rig.ports.log.ensureTopic(wanted))).toEqual(topic);
    });

    it("stay the same however often, and by whomever, they are asked for", async () => {
      const topic = await rig.topic(2);
      const other = await rig.open();
      const wanted = { name: topic.name, partitions: 2, defaultPartitions: 1 };
      expect(await ok(rig.ports.log.ensureTopic(wanted))).toEqual(topic);
      expect(await ok(other.log.ensureTopic(wanted))).toEqual(topic);
    });

    it("are created once when many ask at once", async () => {
      const other = await rig.open();
      const wanted = { name: fresh("topic"), partitions: 2, defaultPartitions: 1 };
      const asked = Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? rig.ports : other).log.ensureTopic(wanted));
      const topics = await Promise.all(asked.map(ok));
      expect(new Set(topics.map(({ incarnation }) => incarnation)).size).toBe(1);
    });

    it("refuse another number of partitions and stay as they were", async () => {
      const topic = await rig.topic(2);
      const wanted = { name: topic.name, partitions: 3, defaultPartitions: 1 };
      await refused(rig.ports.log.ensureTopic(wanted), "TopicMismatch");
      expect(await ok(rig.ports.log.ensureTopic({ ...wanted, partitions: 2 }))).toEqual(topic);
    });

    it("have an incarnation of their own", async () => {
      expect((await rig.topic()).incarnation).not.toBe((await rig.topic()).incarnation);
    });

    it.each(CALLS)("are TopicLost to %s when they never existed", async (_, call) => {
      const missing = { name: fresh("missing"), partitions: 1, incarnation: fresh("incarnation") };
      await refused(call(rig.ports.log, missing), "TopicLost");
    });

    it.each(CALLS)("are TopicLost to %s at another incarnation, and nothing is written", async (_, call) => {
      const topic = await rig.topic();
      await refused(call(rig.ports.log, otherIncarnation(topic)), "TopicLost");
      const { writers, partitions } = await ok(rig.ports.log.times(topic));
      expect(writers).toEqual({});
      expect(partitions).toMatchObject([{ appended: 0, sealed: false }]);
    });

    it("come back empty, as another incarnation, after they were deleted", async ({ skip }) => {
      const deleteTopic = need(rig.target.deleteTopic, skip);
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, [record("old")])));
      await ok(log.registerWriters(topic, ["w"]));
      await ok(log.seal(topic));
      await deleteTopic(topic);
      const again = await ok(log.ensureTopic({ name: topic.name, partitions: 1, defaultPartitions: 1 }));
      expect(again.incarnation).not.toBe(topic.incarnation);
      expect(await contents(log, again)).toEqual([]);
      expect(await ok(log.times(again))).toMatchObject({ writers: {}, partitions: [{ appended: 0, sealed: false }] });
      expect(await ok(log.nextSequences(again, "p"))).toEqual([0]);
    });

    it("are TopicLost to every call after they were deleted", async ({ skip }) => {
      const deleteTopic = need(rig.target.deleteTopic, skip);
      const topic = await rig.topic();
      await deleteTopic(topic);
      for (const [, call] of CALLS) {
        await refused(call(rig.ports.log, topic), "TopicLost");
      }
    });

    it("are refused where a foreign type lies in their place", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const name = fresh("topic");
      await corrupt({ kind: "topic", name });
      await refused(rig.ports.log.ensureTopic({ name, partitions: 1, defaultPartitions: 1 }), "WrongType");
    });
  });
}
