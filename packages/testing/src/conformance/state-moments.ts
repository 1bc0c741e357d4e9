import type { Ports, TaskRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { ok } from "./outcome.ts";
import { commitOf } from "./requests.ts";
import { useRig } from "./rig.ts";
import { deletes, dueIn, timed } from "./state-writes.ts";
import type { PortsConformance } from "./target.ts";

/** How often each read is made while the task commits. */
const READS = 100;

/** What two entries, which every commit changes together, look like at one moment; none where they are not there. */
type Look = (ports: Ports, task: TaskRef) => Promise<readonly string[]>;

const LOOKS: readonly (readonly [string, Look])[] = [
  ["what is due", async (ports, task) => (await dueIn(ports, task, "s")).entries.map(([, value]) => value)],
  [
    "a page of a small store",
    async ({ state }, task) => (await ok(state.scan(task, "s", null))).entries.map(([, value]) => value),
  ],
  [
    "the values of keys",
    async ({ state }, task) => (await ok(state.get(task, "s", ["a", "b"]))).flatMap((value) => value ?? []),
  ],
];

/** `StateStore`: no read ever sees a part of a commit. */
export function describeStateMoments(spec: PortsConformance): void {
  describe("reads of a state store while its task commits", () => {
    const rig = useRig(spec);

    it.each(LOOKS)("see %s as one commit has left it", async (_, look) => {
      const task = await rig.task();
      const observer = await rig.open();
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      const reading = new AbortController();
      const committing = (async () => {
        for (let sequence = 0; !reading.signal.aborted; sequence += 1) {
          const [value, dueMs] = [`${sequence}`, sequence];
          const change =
            sequence % 3 === 2 ? deletes("s", "a", "b") : timed("s", ["a", value, dueMs], ["b", value, dueMs]);
          await ok(rig.ports.tasks.commit(commitOf(task, owner, { sequence, state: [change] })));
        }
      })();
      const seen = new Set<string | undefined>();
      for (let n = 0; n < READS; n += 1) {
        const [a, ...others] = await look(observer, task);
        // Both of one commit, or neither.
        expect(others).toEqual(a === undefined ? [] : [a]);
        seen.add(a);
        // In memory nothing waits for I/O; the commits must have their turn all the same.
        await new Promise(setImmediate);
      }
      reading.abort();
      await committing;
      expect(seen.size).toBeGreaterThan(1);
    });
  });
}
