import type { Commit, TaskRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { ok } from "./outcome.ts";
import { passMs } from "./polling.ts";
import { commitOf } from "./requests.ts";
import { type Rig, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** The store's clock is not the test's: both may have cut off a part of a millisecond, at both ends. */
const TOLERANCE_MS = 3;

/** `Ownership.quietMs`. The store's clock decides, so real time passes. */
export function describeQuiet(spec: PortsConformance): void {
  describe("the time for which a task has processed nothing", () => {
    const rig = useRig(spec);

    it("begins when the task is first acquired", async () => {
      const task = await rig.task();
      const startedMs = performance.now();
      expect((await ok(rig.ports.tasks.acquire(task, 1))).quietMs).toBe(0);
      await passMs(50);
      const { quietMs } = await ok(rig.ports.tasks.acquire(task, 2));
      expect(quietMs).toBeGreaterThanOrEqual(50 - TOLERANCE_MS);
      expect(quietMs).toBeLessThanOrEqual(performance.now() - startedMs + TOLERANCE_MS);
    });

    it("goes on over changes of owner, of session, and commits that process nothing", async () => {
      const quiet = await startQuiet(rig);
      await passMs(60);
      await quiet.commit({ processed: 5, time: "later", state: [{ store: "s", puts: [["k", "v", 1]], deletes: [] }] });
      await quiet.isWithin(60, rig);
      await passMs(40);
      await quiet.isWithin(100, { ports: await rig.open() });
    });

    it("begins again with a commit that processes something", async () => {
      const quiet = await startQuiet(rig);
      await passMs(200);
      const begunMs = performance.now();
      await quiet.commit({ processed: 6 });
      const { quietMs } = await ok(rig.ports.tasks.acquire(quiet.task, 1));
      expect(quietMs).toBeLessThanOrEqual(performance.now() - begunMs + TOLERANCE_MS);
    });

    it("goes on over a first commit that processes nothing", async () => {
      const quiet = await startQuiet(rig, 0);
      await passMs(50);
      await quiet.isWithin(50, rig);
    });

    it("does not begin again with the repeat of a commit", async () => {
      const quiet = await startQuiet(rig);
      const owner = await ok(rig.ports.tasks.acquire(quiet.task, 1));
      const begunMs = performance.now();
      const commit = commitOf(quiet.task, owner, { processed: 9 });
      expect(await ok(rig.ports.tasks.commit(commit))).toBe("applied");
      await passMs(50);
      expect(await ok(rig.ports.tasks.commit(commit))).toBe("alreadyApplied");
      const { quietMs } = await ok(rig.ports.tasks.acquire(quiet.task, 1));
      expect(quietMs).toBeGreaterThanOrEqual(50 - TOLERANCE_MS);
      expect(quietMs).toBeLessThanOrEqual(performance.now() - begunMs + TOLERANCE_MS);
    });
  });
}

/** A task that has just committed. */
interface Quiet {
  readonly task: TaskRef;
  /** Takes the task over, and commits. */
  commit(change: Partial<Commit>): Promise<void>;
  /** An acquisition tells of at least so much time, and no more than has passed. */
  isWithin(leastMs: number, by: Pick<Rig, "ports">): Promise<void>;
}

/** A task whose first commit says that so many records are processed. */
async function startQuiet(rig: Rig, processed = 5): Promise<Quiet> {
  const task = await rig.task();
  const startedMs = performance.now();
  const quiet: Quiet = {
    task,
    commit: async (change) => {
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      await ok(rig.ports.tasks.commit(commitOf(task, owner, change)));
    },
    isWithin: async (leastMs, { ports }) => {
      const { quietMs } = await ok(ports.tasks.acquire(task, 1));
      expect(quietMs).toBeGreaterThanOrEqual(leastMs - TOLERANCE_MS);
      expect(quietMs).toBeLessThanOrEqual(performance.now() - startedMs + TOLERANCE_MS);
    },
  };
  await quiet.commit({ processed });
  return quiet;
}
