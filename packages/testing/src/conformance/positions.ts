import { BEFORE_FIRST } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { contents } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, commitOf, otherIncarnation, records } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** `Tasks.positions`. */
export function describePositions(spec: PortsConformance): void {
  describe("positions", () => {
    const rig = useRig(spec);

    it("of tasks that never were acquired, or never committed, are before the first record", async () => {
      const { tasks } = rig.ports;
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, records(2))));
      const [stranger, acquired] = [await rig.task(topic), await rig.task(topic)];
      await ok(tasks.acquire(acquired, 1));
      expect(await ok(tasks.positions([stranger, acquired]))).toEqual([
        { sequence: 0, offset: BEFORE_FIRST, processed: 0 },
        { sequence: 0, offset: BEFORE_FIRST, processed: 0 },
      ]);
    });

    it("are where the last commits left the tasks, in the order asked for, in another session too", async () => {
      const { log, tasks } = rig.ports;
      const topic = await rig.topic(2);
      await ok(log.append(appendOf(topic, records(3))));
      const offset = (await contents(log, topic))[1]?.offset ?? BEFORE_FIRST;
      const done = await rig.task(topic);
      const untouched = { ...done, partition: 1 };
      const owner = await ok(tasks.acquire(done, 1));
      await ok(tasks.commit(commitOf(done, owner, { offset, processed: 2 })));
      const other = await rig.open();
      const there = { sequence: 1, offset, processed: 2 };
      const beginning = { sequence: 0, offset: BEFORE_FIRST, processed: 0 };
      expect(await ok(other.tasks.positions([done, untouched]))).toEqual([there, beginning]);
      expect(await ok(other.tasks.positions([untouched, done]))).toEqual([beginning, there]);
      expect(await ok(other.tasks.positions([done]))).toEqual([there]);
      expect(await ok(other.tasks.positions([]))).toEqual([]);
    });

    it("of another incarnation of the topic are before the first record", async () => {
      const { tasks } = rig.ports;
      const task = await rig.task();
      await ok(tasks.commit(commitOf(task, await ok(tasks.acquire(task, 1)), { processed: 3 })));
      const [found] = await ok(tasks.positions([{ ...task, topic: otherIncarnation(task.topic) }]));
      expect(found).toEqual({ sequence: 0, offset: BEFORE_FIRST, processed: 0 });
    });

    it("leave a task to its owner", async () => {
      const { tasks } = rig.ports;
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      await ok((await rig.open()).tasks.positions([task]));
      expect(await ok(tasks.commit(commitOf(task, owner)))).toBe("applied");
    });

    it("can be asked for hundreds of tasks, of several groups and topics, at once", async () => {
      const { tasks } = rig.ports;
      const [one, two] = [await rig.topic(100), await rig.topic(100)];
      const refs = [one, two].flatMap((topic) =>
        ["g", "h"].flatMap((stem) => {
          const group = fresh(stem);
          return Array.from({ length: 100 }, (_, partition) => ({ group, topic, partition }));
        }),
      );
      const last = refs.at(-1) ?? (await rig.task());
      await ok(tasks.commit(commitOf(last, await ok(tasks.acquire(last, 1)), { processed: 9 })));
      const found = await ok(tasks.positions(refs));
      expect(found.map(({ processed }) => processed)).toEqual(refs.map((task) => (task === last ? 9 : 0)));
    });

    it("are refused where a foreign type lies in place of a task", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const [task, foreign] = [await rig.task(), await rig.task()];
      await corrupt({ kind: "task", task: foreign });
      await refused(rig.ports.tasks.positions([task, foreign]), "WrongType");
      await ok(rig.ports.tasks.positions([task]));
    });
  });
}
