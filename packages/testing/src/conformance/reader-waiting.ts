import { BEFORE_FIRST } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { AMPLE, contents } from "./contents.ts";
import { ok } from "./outcome.ts";
import { AT_ONCE_MS, fastestMs, settleIn } from "./promptness.ts";
import { appendOf, commitOf, record, records } from "./requests.ts";
import { useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** A read waits "about a second"; nobody should need this long to end one. */
const PATIENCE_MS = 10_000;

/** `Reader.next` at the end of a partition. */
export function describeReaderWaiting(spec: PortsConformance): void {
  describe("reader at the end", () => {
    const rig = useRig(spec);

    it("waits at the end for up to about a second, then returns nothing", async () => {
      const topic = await rig.topic();
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      const startMs = performance.now();
      expect(await ok(() => reader.next(AMPLE))).toEqual({ records: [], atEnd: true });
      const waitedMs = performance.now() - startMs;
      reader.close();
      // A reader that does not wait at all would keep a processor busy.
      expect(waitedMs).toBeGreaterThan(300);
      expect(waitedMs).toBeLessThan(PATIENCE_MS);
    });

    it("wakes for a record that arrives while it waits", async () => {
      const other = await rig.open();
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, records(1))));
      const [first] = await contents(rig.ports.log, topic);
      const reader = rig.ports.log.reader(topic, 0, first?.offset ?? BEFORE_FIRST);
      const waiting = ok(() => reader.next(AMPLE));
      await ok(other.log.append(appendOf(topic, [record("late")], { firstSequence: 1 })));
      expect((await waiting).records.map(({ payload }) => payload)).toEqual(["late"]);
      reader.close();
    });

    it("wakes at once, not when its time has run out", async () => {
      const other = await rig.open();
      const topic = await rig.topic();
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      let firstSequence = 0;
      const wokeMs = await fastestMs(async (act) => {
        const waiting = ok(() => reader.next(AMPLE));
        await settleIn();
        act();
        await ok(other.log.append(appendOf(topic, [record("late")], { firstSequence: firstSequence++ })));
        expect((await waiting).records).toHaveLength(1);
      });
      reader.close();
      expect(wokeMs).toBeLessThan(AT_ONCE_MS);
    });

    it("wakes at once for the output of a commit", async () => {
      const other = await rig.open();
      const [task, topic] = [await rig.task(), await rig.topic()];
      const owner = await ok(other.tasks.acquire(task, 1));
      const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
      let { sequence } = owner;
      const wokeMs = await fastestMs(async (act) => {
        const waiting = ok(() => reader.next(AMPLE));
        await settleIn();
        act();
        const outputs = [{ topic, partition: 0, records: records(1) }];
        await ok(other.tasks.commit(commitOf(task, owner, { sequence: sequence++, outputs })));
        expect((await waiting).records).toHaveLength(1);
      });
      reader.close();
      expect(wokeMs).toBeLessThan(AT_ONCE_MS);
    });

    it("ends a waiting read at once when it is closed, as often as it is closed", async () => {
      const topic = await rig.topic();
      const endedMs = await fastestMs(async (act) => {
        const reader = rig.ports.log.reader(topic, 0, BEFORE_FIRST);
        const waiting = ok(() => reader.next(AMPLE));
        await settleIn();
        act();
        reader.close();
        reader.close();
        expect((await waiting).records).toEqual([]);
      });
      expect(endedMs).toBeLessThan(AT_ONCE_MS);
    });
  });
}
