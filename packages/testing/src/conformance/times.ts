import { BEFORE_FIRST, type TopicInfo } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { contents } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, commitOf, otherIncarnation, record, records } from "./requests.ts";
import { need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** `Log.registerWriters` and `Log.times`. */
export function describeTimes(spec: PortsConformance): void {
  describe("times", () => {
    const rig = useRig(spec);

    /** Commits `watermarkMs` for `writer` by a task of its own. */
    async function raise(topic: TopicInfo, writer: string, watermarkMs: number | null): Promise<void> {
      const task = await rig.task();
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      await ok(rig.ports.tasks.commit(commitOf(task, owner, { watermarks: [{ topic, writer, watermarkMs }] })));
    }

    it("of an empty topic are its partitions at their beginning and no writers", async () => {
      const topic = await rig.topic(2);
      const empty = { end: BEFORE_FIRST, appended: 0, sealed: false };
      expect(await ok(rig.ports.log.times(topic))).toEqual({ writers: {}, partitions: [empty, empty] });
    });

    it("name the last record of each partition and count what was appended", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic(3);
      await ok(log.append(appendOf(topic, records(3), { partition: 0 })));
      await ok(log.append(appendOf(topic, records(2), { partition: 2 })));
      await ok(log.append(appendOf(topic, records(4), { partition: 2 })));
      const ends = await Promise.all(
        [0, 1, 2].map(async (n) => (await contents(log, topic, n)).at(-1)?.offset ?? BEFORE_FIRST),
      );
      expect((await ok(log.times(topic))).partitions).toEqual([
        { end: ends[0], appended: 3, sealed: false },
        { end: ends[1], appended: 0, sealed: false },
        { end: ends[2], appended: 4, sealed: false },
      ]);
    });

    it("are those of the partitions that are asked for, in that order, with all writers", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic(3);
      await ok(log.registerWriters(topic, ["a"]));
      await ok(log.append(appendOf(topic, records(3), { partition: 0 })));
      await ok(log.append(appendOf(topic, records(2), { partition: 2 })));
      const all = await ok(log.times(topic));
      expect(await ok(log.times(topic, [2, 0]))).toEqual({
        writers: { a: -Infinity },
        partitions: [all.partitions[2], all.partitions[0]],
      });
      expect(await ok(log.times(topic, [1]))).toMatchObject({ partitions: [{ end: BEFORE_FIRST, appended: 0 }] });
      expect(await ok(log.times(topic, [0, 1, 2]))).toEqual(all);
    });

    it("count the outputs of tasks too", async () => {
      const { log, tasks } = rig.ports;
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(3))));
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      await ok(tasks.commit(commitOf(task, owner, { outputs: [{ topic, partition: 0, records: records(2) }] })));
      const end = (await contents(log, topic)).at(-1)?.offset;
      expect((await ok(log.times(topic))).partitions).toEqual([{ end, appended: 5, sealed: false }]);
    });

    it("say that the partitions are sealed", async () => {
      const topic = await rig.topic(2);
      await ok(rig.ports.log.seal(topic));
      expect((await ok(rig.ports.log.times(topic))).partitions).toMatchObject([{ sealed: true }, { sealed: true }]);
    });

    it("show registered writers at -Infinity", async () => {
      const topic = await rig.topic();
      await ok(rig.ports.log.registerWriters(topic, ["a", "app.pipeline/orders/0"]));
      await ok(rig.ports.log.registerWriters(topic, []));
      expect((await ok(rig.ports.log.times(topic))).writers).toEqual({
        a: -Infinity,
        "app.pipeline/orders/0": -Infinity,
      });
    });

    it("show the watermarks that commits entered, of registered writers and of others", async () => {
      const topic = await rig.topic();
      await ok(rig.ports.log.registerWriters(topic, ["a", "b"]));
      await raise(topic, "a", 1_700_000_000_000);
      await raise(topic, "c", -5);
      const { writers } = await ok(rig.ports.log.times(topic));
      expect(writers).toEqual({ a: 1_700_000_000_000, b: -Infinity, c: -5 });
    });

    it("keep a writer's watermark when it registers again", async () => {
      const topic = await rig.topic();
      await raise(topic, "a", 7);
      await ok(rig.ports.log.registerWriters(topic, ["a", "b"]));
      expect((await ok(rig.ports.log.times(topic))).writers).toEqual({ a: 7, b: -Infinity });
    });

    it.each([Infinity, -Infinity, 0, -1, 0.5, 8_640_000_000_000_000])(
      "carry a watermark of %d",
      async (watermarkMs) => {
        const topic = await rig.topic();
        await raise(topic, "a", watermarkMs);
        expect((await ok(rig.ports.log.times(topic))).writers).toEqual({ a: watermarkMs });
      },
    );

    it("lose a writer whose commit takes it out, until it is entered again", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.registerWriters(topic, ["a", "b", "c"]));
      await raise(topic, "b", 7);
      await raise(topic, "a", null);
      await raise(topic, "b", null);
      await raise(topic, "stranger", null);
      expect((await ok(log.times(topic))).writers).toEqual({ c: -Infinity });
      await raise(topic, "a", 8);
      await ok(log.registerWriters(topic, ["b"]));
      expect((await ok(log.times(topic))).writers).toEqual({ a: 8, b: -Infinity, c: -Infinity });
    });

    it("do not take a writer in again that a commit has taken out, where only new ones are to enter", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await ok(log.registerWriters(topic, ["out", "kept", "at"], true));
      await raise(topic, "at", 7);
      await raise(topic, "out", null);
      await ok(log.registerWriters(topic, ["out", "kept", "at", "new"], true));
      expect((await ok(log.times(topic))).writers).toEqual({ kept: -Infinity, at: 7, new: -Infinity });
      await ok(log.registerWriters(topic, ["out", "at"], false));
      expect((await ok(log.times(topic))).writers).toEqual({ out: -Infinity, kept: -Infinity, at: 7, new: -Infinity });
    });

    it("keep a writer out that leaves, comes back and leaves again", async () => {
      const { log } = rig.ports;
      const topic = await rig.topic();
      await raise(topic, "a", 7);
      await raise(topic, "a", null);
      await raise(topic, "a", 8);
      expect((await ok(log.times(topic))).writers).toEqual({ a: 8 });
      await raise(topic, "a", null);
      await ok(log.registerWriters(topic, ["a"], true));
      expect((await ok(log.times(topic))).writers).toEqual({});
    });

    it("never take a watermark meant for another incarnation", async () => {
      const { log, tasks } = rig.ports;
      const topic = await rig.topic();
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      const watermarks = [{ topic: otherIncarnation(topic), writer: "a", watermarkMs: 7 }];
      // Whether the whole commit is refused is for the adapter to say; the topic that lies there now is not touched.
      await tasks.commit(commitOf(task, owner, { watermarks }))();
      expect((await ok(log.times(topic))).writers).toEqual({});
    });

    it("never show a watermark before the outputs that were committed with it", async () => {
      const observer = await rig.open();
      const { tasks } = rig.ports;
      const topic = await rig.topic();
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      const rounds = 50;
      const committing = (async () => {
        for (let n = 0; n < rounds; n++) {
          const outputs = [{ topic, partition: 0, records: [record(`${n}`)] }];
          const watermarks = [{ topic, writer: "w", watermarkMs: n + 1 }];
          await ok(tasks.commit(commitOf(task, owner, { sequence: n, outputs, watermarks })));
        }
      })();
      let seen = 0;
      while (seen < rounds) {
        const { writers, partitions } = await ok(observer.log.times(topic));
        seen = writers["w"] ?? 0;
        expect(partitions[0]?.appended).toBeGreaterThanOrEqual(seen);
      }
      await committing;
    });

    it("report a foreign type in place of the writers' table", async ({ skip }) => {
      const corrupt = need(rig.target.corrupt, skip);
      const topic = await rig.topic();
      await corrupt({ kind: "writers", topic });
      await refused(rig.ports.log.registerWriters(topic, ["a"]), "WrongType");
      await refused(rig.ports.log.times(topic), "WrongType");
    });

    it("of a partition of which everything was removed end before the first record", async ({ skip }) => {
      const { log } = rig.ports;
      const trim = need(rig.target.trim, skip);
      const topic = await rig.topic();
      await ok(log.append(appendOf(topic, records(3))));
      await trim(topic, 0, (await contents(log, topic)).at(-1)?.offset ?? BEFORE_FIRST);
      expect((await ok(log.times(topic))).partitions).toEqual([{ end: BEFORE_FIRST, appended: 3, sealed: false }]);
    });
  });
}
