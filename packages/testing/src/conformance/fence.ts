import { BEFORE_FIRST, type Commit, type Output, offsetOf, type PortError, type TopicInfo } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { contents, payloads, stateOf } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, commitOf, otherIncarnation, records } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import { ownerIsWhereItWas, type Scene, setScene, tracesOf } from "./scene.ts";
import type { PortsConformance } from "./target.ts";

/** `Tasks.commit` where it is refused: every check comes before the first write. */
export function describeFence(spec: PortsConformance): void {
  describe("fence", () => {
    const rig = useRig(spec);

    /** The commit is refused with `tag`, and nothing of it is there. */
    async function leavesNothing(at: Scene, commit: Commit, tag: PortError["_tag"]): Promise<void> {
      await refused(rig.ports.tasks.commit(commit), tag);
      for (const { absent } of tracesOf(rig, at)) {
        await absent();
      }
      await ownerIsWhereItWas(rig, at);
    }

    it("refuses the commit of a former owner", async () => {
      const at = await setScene(rig);
      await ok(rig.ports.tasks.acquire(at.task, 1));
      await leavesNothing(at, at.next, "Fenced");
    });

    it("refuses the commit of somebody who never was the owner", async () => {
      const at = await setScene(rig);
      await leavesNothing(at, { ...at.next, nonce: fresh("nonce") }, "Fenced");
    });

    it.each([
      ["behind all that it has", "9999999999999-0"],
      ["in front of all that it has", "1-1"],
    ])("refuses a commit up to a record that the log has lost, %s", async (_where, id) => {
      const at = await setScene(rig);
      await ok(rig.ports.log.append(appendOf(at.task.topic, records(2))));
      await leavesNothing(at, { ...at.next, offset: offsetOf(id, 0) }, "Regressed");
    });

    it("refuses a commit up to a record of a log that has none", async () => {
      const at = await setScene(rig);
      await leavesNothing(at, { ...at.next, offset: offsetOf("1-1", 0) }, "Regressed");
    });

    it("accepts a commit up to a record that was trimmed since it was read", async ({ skip }) => {
      const { log } = rig.ports;
      const trim = need(rig.target.trim, skip);
      const at = await setScene(rig);
      for (const sequence of [0, 1, 2]) {
        await ok(log.append(appendOf(at.task.topic, records(1), { firstSequence: sequence })));
      }
      const [first, second] = await contents(log, at.task.topic);
      await trim(at.task.topic, 0, second?.offset ?? BEFORE_FIRST);
      const next = { ...at.next, offset: first?.offset ?? BEFORE_FIRST, processed: 1 };
      expect(await ok(rig.ports.tasks.commit(next))).toBe("applied");
    });

    it("refuses a former owner's repeat of a commit that was applied", async () => {
      const { log, tasks } = rig.ports;
      const at = await setScene(rig);
      await ok(tasks.commit(at.next));
      await ok(tasks.acquire(at.task, 1));
      await refused(tasks.commit(at.next), "Fenced");
      expect(await payloads(log, at.outputs[0])).toEqual(["0", "1"]);
    });

    it("refuses a former owner whatever its sequence, even where the new owner has committed", async () => {
      const { tasks } = rig.ports;
      const at = await setScene(rig);
      const now = await ok(tasks.acquire(at.task, 1));
      await ok(tasks.commit(commitOf(at.task, now, { processed: 1, time: "before" })));
      for (const sequence of [0, 1, 2, 3]) {
        await refused(tasks.commit({ ...at.next, sequence }), "Fenced");
      }
      expect(await payloads(rig.ports.log, at.outputs[0])).toEqual([]);
    });

    it.each([2, 3, 100])(
      "reports Regressed when the store is behind: it has seen 1 commit, not %d",
      async (sequence) => {
        const at = await setScene(rig);
        await leavesNothing(at, { ...at.next, sequence }, "Regressed");
      },
    );

    it("reports Regressed when the store is further than this owner's last commit", async () => {
      const { log, tasks } = rig.ports;
      const at = await setScene(rig);
      for (const sequence of [1, 2, 3]) {
        await ok(tasks.commit(commitOf(at.task, at.owner, { sequence })));
      }
      for (const sequence of [0, 1, 2]) {
        await refused(tasks.commit({ ...at.next, sequence }), "Regressed");
      }
      expect(await payloads(log, at.outputs[0])).toEqual([]);
    });

    it("reports TopicLost when the source is another incarnation", async () => {
      const at = await setScene(rig);
      const task = { ...at.task, topic: otherIncarnation(at.task.topic) };
      await leavesNothing(at, { ...at.next, task }, "TopicLost");
    });

    it.each([0, 1])("reports TopicLost when destination %d is another incarnation", async (lost) => {
      const at = await setScene(rig);
      const outputs = replaceTopic(at.next.outputs, lost, otherIncarnation);
      await leavesNothing(at, { ...at.next, outputs }, "TopicLost");
    });

    it.each([0, 1])("reports TopicLost when destination %d never existed", async (lost) => {
      const at = await setScene(rig);
      const missing = { name: fresh("missing"), partitions: 1, incarnation: fresh("incarnation") };
      const outputs = replaceTopic(at.next.outputs, lost, () => missing);
      await leavesNothing(at, { ...at.next, outputs }, "TopicLost");
    });

    it("reports TopicLost when the source was deleted, or created again", async ({ skip }) => {
      const deleteTopic = need(rig.target.deleteTopic, skip);
      const { log, tasks } = rig.ports;
      const at = await setScene(rig);
      await deleteTopic(at.task.topic);
      await refused(tasks.commit(at.next), "TopicLost");
      await ok(log.ensureTopic({ name: at.task.topic.name, partitions: 1, defaultPartitions: 1 }));
      await refused(tasks.commit(at.next), "TopicLost");
      expect(await payloads(log, at.outputs[0])).toEqual([]);
      expect(await payloads(log, at.outputs[1])).toEqual([]);
    });

    it("reports TopicLost when a destination was deleted, or created again", async ({ skip }) => {
      const deleteTopic = need(rig.target.deleteTopic, skip);
      const { log, tasks } = rig.ports;
      const at = await setScene(rig);
      const [kept, lost] = at.outputs;
      await deleteTopic(lost);
      await refused(tasks.commit(at.next), "TopicLost");
      const again = await ok(log.ensureTopic({ name: lost.name, partitions: 1, defaultPartitions: 1 }));
      await refused(tasks.commit(at.next), "TopicLost");
      expect(await payloads(log, kept)).toEqual([]);
      expect(await payloads(log, again)).toEqual([]);
      expect(await stateOf(rig.ports, at.task, "s")).toEqual(new Map());
    });
  });
}

/** The outputs, with the topic of one of them replaced. */
function replaceTopic(
  outputs: readonly Output[],
  index: number,
  replace: (topic: TopicInfo) => TopicInfo,
): readonly Output[] {
  return outputs.map((output, n) => (n === index ? { ...output, topic: replace(output.topic) } : output));
}
