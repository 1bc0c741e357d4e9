import { randomUUID } from "node:crypto";
import type { Ports, TaskRef, TopicInfo } from "@millrace/core";
import { afterAll, beforeAll } from "vitest";
import { ok } from "./outcome.ts";
import type { ConformanceTarget, Hook, PortsConformance } from "./target.ts";

/** Starting a server may take a while. */
const SETUP_MS = 60_000;

/** What the tests of one block work with. Valid inside tests. */
export interface Rig {
  /** The session that tests use when they need only one. */
  readonly ports: Ports;
  /** A session of its own, as another process would have; closed after the block. */
  open(): Promise<Ports>;
  readonly target: ConformanceTarget;
  /** A new topic with a random name. */
  topic(partitions?: number): Promise<TopicInfo>;
  /** A task of a new group, on partition 0 of `source` or of a new topic. */
  task(source?: TopicInfo): Promise<TaskRef>;
}

/** Opens the adapter before the surrounding block of tests and closes everything after it. */
export function useRig(spec: PortsConformance): Rig {
  let target: ConformanceTarget | undefined;
  const sessions: Ports[] = [];

  const made = (): ConformanceTarget => {
    if (target === undefined) {
      throw new Error("a rig is used inside tests only");
    }
    return target;
  };
  const rig: Rig = {
    get ports() {
      const [first] = sessions;
      if (first === undefined) {
        throw new Error("a rig is used inside tests only");
      }
      return first;
    },
    async open() {
      const session = await ok(made().adapter.open());
      sessions.push(session);
      return session;
    },
    get target() {
      return made();
    },
    topic: (partitions = 1) =>
      ok(rig.ports.log.ensureTopic({ name: fresh("topic"), partitions, defaultPartitions: 1 })),
    task: async (source) => ({ group: fresh("group"), topic: source ?? (await rig.topic()), partition: 0 }),
  };

  beforeAll(async () => {
    target = await spec.make();
    await rig.open();
  }, SETUP_MS);
  afterAll(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.close()));
    await target?.dispose();
  }, SETUP_MS);
  return rig;
}

/** The hook; where the target says why there is none, ends the test with `skip`, its context's function. */
export function need<F extends (...args: never) => unknown>(hook: Hook<F>, skip: (reason: string) => never): F {
  return typeof hook === "function" ? hook : skip(reasonOf(hook));
}

/** Why something is skipped. Throws where that is not said: the report would not show it. */
export function reasonOf({ skip }: { readonly skip: string }): string {
  if (skip.trim() === "") {
    throw new Error("a hook that is left out says why: { skip: <the reason> }");
  }
  return skip;
}

/** A name that no other test uses. */
export function fresh(stem: string): string {
  return `${stem}-${randomUUID().slice(0, 8)}`;
}
