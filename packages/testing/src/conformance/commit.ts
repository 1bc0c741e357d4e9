import { BEFORE_FIRST, compareOffsets } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { AMPLE, contents, payloads, stateOf } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, commitOf, record, records } from "./requests.ts";
import { need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** `Tasks.commit` where it is accepted: everything at once, and once. */
export function describeCommit(spec: PortsConformance): void {
  describe("commit", () => {
    const rig = useRig(spec);

    it("makes outputs, state, position, time and watermarks visible", async () => {
      const { log, tasks } = rig.ports;
      const task = await rig.task();
      await ok(log.append(appendOf(task.topic, records(3))));
      const offset = (await contents(log, task.topic))[2]?.offset ?? BEFORE_FIRST;
      const [one, two] = [await rig.topic(2), await rig.topic()];
      const owner = await ok(tasks.acquire(task, 1));
      const commit = commitOf(task, owner, {
        offset,
        processed: 3,
        outputs: [
          { topic: one, partition: 1, records: records(2, "a") },
          { topic: two, partition: 0, records: records(1, "b") },
          { topic: one, partition: 0, records: records(1, "c") },
        ],
        state: [
          { store: "s", puts: [["k", "v"]], deletes: [] },
          { store: "t", puts: [["k", "w"]], deletes: ["x"] },
        ],
        time: "now",
        watermarks: [
          { topic: one, writer: "w", watermarkMs: 5 },
          { topic: two, writer: "w", watermarkMs: 6 },
        ],
      });
      expect(await ok(tasks.commit(commit))).toBe("applied");

      expect(await payloads(log, one, 1)).toEqual(["a0", "a1"]);
      expect(await payloads(log, one, 0)).toEqual(["c0"]);
      expect(await payloads(log, two)).toEqual(["b0"]);
      expect((await ok(log.times(one))).writers).toEqual({ w: 5 });
      expect((await ok(log.times(two))).writers).toEqual({ w: 6 });
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map([["k", "v"]]));
      expect(await stateOf(rig.ports, task, "t")).toEqual(new Map([["k", "w"]]));
      const next = await ok(tasks.acquire(task, 1));
      expect(next).toMatchObject({ sequence: 1, processed: 3, time: "now" });
      expect(compareOffsets(next.offset, offset)).toBe(0);
    });

    it("is complete for whoever sees one of its outputs", async () => {
      const other = await rig.open();
      const { tasks } = rig.ports;
      const [task, topic] = [await rig.task(), await rig.topic()];
      const owner = await ok(tasks.acquire(task, 1));
      const reader = other.log.reader(topic, 0, BEFORE_FIRST);
      const seen = (async () => {
        for (;;) {
          const batch = await ok(() => reader.next(AMPLE));
          if (batch.records.length > 0) {
            return;
          }
        }
      })();
      const committed = tasks.commit(
        commitOf(task, owner, {
          outputs: [{ topic, partition: 0, records: records(1) }],
          state: [{ store: "s", puts: [["k", "v"]], deletes: [] }],
          time: "t",
          watermarks: [{ topic, writer: "w", watermarkMs: 5 }],
        }),
      )();
      await seen;
      expect((await ok(other.log.times(topic))).writers).toEqual({ w: 5 });
      expect(await stateOf(other, task, "s")).toEqual(new Map([["k", "v"]]));
      expect(await ok(other.tasks.acquire(task, 1))).toMatchObject({ sequence: 1, time: "t" });
      reader.close();
      expect(await committed).toMatchObject({ _tag: "Right" });
    });

    it("can move nothing but its sequence", async () => {
      const { tasks } = rig.ports;
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      expect(await ok(tasks.commit(commitOf(task, owner)))).toBe("applied");
      expect(await ok(tasks.commit(commitOf(task, owner, { sequence: 1 })))).toBe("applied");
      expect(await ok(tasks.acquire(task, 1))).toMatchObject({ sequence: 2, offset: BEFORE_FIRST, processed: 0 });
    });

    it("keeps the order of outputs, within one commit and from one to the next", async () => {
      const { log, tasks } = rig.ports;
      const [task, topic] = [await rig.task(), await rig.topic()];
      const owner = await ok(tasks.acquire(task, 1));
      for (let n = 0; n < 5; n++) {
        const outputs = [{ topic, partition: 0, records: records(3, `${n}/`) }];
        await ok(tasks.commit(commitOf(task, owner, { sequence: n, outputs })));
      }
      const expected = [0, 1, 2, 3, 4].flatMap((n) => records(3, `${n}/`).map(({ payload }) => payload));
      expect(await payloads(log, topic)).toEqual(expected);
    });

    it("is applied once when it is repeated, and says so", async () => {
      const { log, tasks } = rig.ports;
      const [task, topic] = [await rig.task(), await rig.topic()];
      const owner = await ok(tasks.acquire(task, 1));
      const commit = commitOf(task, owner, {
        outputs: [{ topic, partition: 0, records: records(2) }],
        state: [{ store: "s", puts: [["k", "v"]], deletes: [] }],
        time: "t",
      });
      expect(await ok(tasks.commit(commit))).toBe("applied");
      expect(await ok(tasks.commit(commit))).toBe("alreadyApplied");
      expect(await ok((await rig.open()).tasks.commit(commit))).toBe("alreadyApplied");
      expect(await payloads(log, topic)).toEqual(["0", "1"]);
      expect(await ok(tasks.commit(commitOf(task, owner, { sequence: 1 })))).toBe("applied");
    });

    it("is applied once when it is sent twice at once", async () => {
      const { log, tasks } = rig.ports;
      const other = await rig.open();
      const [task, topic] = [await rig.task(), await rig.topic()];
      const owner = await ok(tasks.acquire(task, 1));
      const commit = commitOf(task, owner, { outputs: [{ topic, partition: 0, records: records(2) }] });
      const results = await Promise.all([ok(tasks.commit(commit)), ok(other.tasks.commit(commit))]);
      expect(results.toSorted()).toEqual(["alreadyApplied", "applied"]);
      expect(await payloads(log, topic)).toEqual(["0", "1"]);
    });

    it("can put outputs into the topic that the task reads", async () => {
      const { log, tasks } = rig.ports;
      const task = await rig.task();
      await ok(log.append(appendOf(task.topic, records(1))));
      const owner = await ok(tasks.acquire(task, 1));
      const outputs = [{ topic: task.topic, partition: 0, records: [record("again")] }];
      expect(await ok(tasks.commit(commitOf(task, owner, { outputs })))).toBe("applied");
      expect(await payloads(log, task.topic)).toEqual(["0", "again"]);
    });

    it("takes hundreds of outputs and puts", async () => {
      const { log, tasks } = rig.ports;
      const [task, topic] = [await rig.task(), await rig.topic(4)];
      const owner = await ok(tasks.acquire(task, 1));
      const outputs = [0, 1, 2, 3].map((partition) => ({ topic, partition, records: records(100, `${partition}/`) }));
      const puts = Array.from({ length: 400 }, (_, n) => [`k${n}`, `v${n}`] as const);
      await ok(tasks.commit(commitOf(task, owner, { outputs, state: [{ store: "s", puts, deletes: [] }] })));
      for (const { partition, records: content } of outputs) {
        expect(await payloads(log, topic, partition)).toEqual(content.map(({ payload }) => payload));
      }
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map(puts));
    });

    it("without outputs and puts needs no room", async ({ skip }) => {
      const exhaust = need(rig.target.exhaust, skip);
      const { tasks } = rig.ports;
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      await ok(tasks.commit(commitOf(task, owner, { state: [{ store: "s", puts: [["a", "1"]], deletes: [] }] })));
      const relieve = await exhaust(task.topic, 0);
      const state = [{ store: "s", puts: [], deletes: ["a"] }];
      expect(await ok(tasks.commit(commitOf(task, owner, { sequence: 1, state, time: "t" })))).toBe("applied");
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map());
      await relieve();
    });

    it("with outputs gives up waiting for room when it is told to, as a whole", async ({ skip }) => {
      const exhaust = need(rig.target.exhaust, skip);
      const { log, tasks } = rig.ports;
      const [task, full, roomy] = [await rig.task(), await rig.topic(), await rig.topic()];
      const owner = await ok(tasks.acquire(task, 1));
      const relieve = await exhaust(full, 0);
      const before = await ok(log.times(full));
      const commit = commitOf(task, owner, {
        outputs: [
          { topic: roomy, partition: 0, records: records(1) },
          { topic: full, partition: 0, records: records(1) },
        ],
        state: [{ store: "s", puts: [["a", "1"]], deletes: [] }],
      });
      await refused(tasks.commit({ ...commit, signal: AbortSignal.timeout(50) }), "Full");
      expect(await ok(log.times(full))).toEqual(before);
      expect(await payloads(log, roomy)).toEqual([]);
      expect(await stateOf(rig.ports, task, "s")).toEqual(new Map());
      await relieve();
      expect(await ok(tasks.commit(commit))).toBe("applied");
      expect(await payloads(log, roomy)).toEqual(["0"]);
    });
  });
}
