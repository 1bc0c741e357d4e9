import { BEFORE_FIRST, type PortError, type Ports, type TaskRef } from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { AMPLE, payloads } from "./contents.ts";
import { GROUP_CALLS } from "./group-calls.ts";
import { ok, refused } from "./outcome.ts";
import { AT_ONCE_MS, fastestMs, settleIn } from "./promptness.ts";
import { appendOf, commitOf, records } from "./requests.ts";
import { fresh, need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** One call of every method of every port. */
const CALLS: readonly (readonly [string, (ports: Ports, task: TaskRef) => TaskEither<PortError, unknown>])[] = [
  ["log.ensureTopic", ({ log }) => log.ensureTopic({ name: fresh("t"), partitions: 1, defaultPartitions: 1 })],
  ["log.append", ({ log }, { topic }) => log.append(appendOf(topic, records(1)))],
  ["log.nextSequences", ({ log }, { topic }) => log.nextSequences(topic, "p")],
  ["log.seal", ({ log }, { topic }) => log.seal(topic)],
  ["log.registerWriters", ({ log }, { topic }) => log.registerWriters(topic, ["w"])],
  ["log.times", ({ log }, { topic }) => log.times(topic)],
  [
    "log.reader",
    ({ log }, { topic }) =>
      () =>
        log.reader(topic, 0, BEFORE_FIRST).next(AMPLE),
  ],
  ["tasks.acquire", ({ tasks }, task) => tasks.acquire(task, 1)],
  [
    "tasks.commit",
    ({ tasks }, task) =>
      tasks.commit(
        commitOf(task, { nonce: "", sequence: 0, offset: BEFORE_FIRST, processed: 0, time: null, quietMs: 0 }),
      ),
  ],
  ["tasks.positions", ({ tasks }, task) => tasks.positions([task])],
  ...GROUP_CALLS.map(
    ([name, call]) =>
      [
        `group.${name}`,
        (ports: Ports) => call(ports, { group: fresh("g"), member: "m", instance: fresh("instance") }),
      ] as const,
  ),
  ["state.scan", ({ state }, task) => state.scan(task, "s", null)],
  ["state.get", ({ state }, task) => state.get(task, "s", ["k"])],
  ["state.due", ({ state }, task) => state.due(task, "s", { fromMs: 0, untilMs: 1, limit: 1 })],
  ["state.drop", ({ state }, task) => state.drop(task, "s")],
];

/** `Adapter.open` and `Ports.close`. */
export function describeSessions(spec: PortsConformance): void {
  describe("sessions", () => {
    const rig = useRig(spec);

    it("work on the same data", async () => {
      const topic = await rig.topic();
      await ok((await rig.open()).log.append(appendOf(topic, records(2))));
      expect(await payloads((await rig.open()).log, topic)).toEqual(["0", "1"]);
    });

    it("leave their data behind when they are closed", async () => {
      const first = await rig.open();
      const topic = await rig.topic();
      await ok(first.log.append(appendOf(topic, records(2))));
      await first.close();
      expect(await payloads(rig.ports.log, topic)).toEqual(["0", "1"]);
    });

    it("can be closed more than once, and do not close each other", async () => {
      const session = await rig.open();
      await session.close();
      await session.close();
      await Promise.all([session.close(), session.close()]);
      await ok(rig.ports.log.times(await rig.topic()));
    });

    it("end reads under way at once, with Unavailable, when they are closed", async () => {
      const topic = await rig.topic();
      const endedMs = await fastestMs(async (act) => {
        const session = await rig.open();
        const reader = session.log.reader(topic, 0, BEFORE_FIRST);
        const waiting = reader.next(AMPLE);
        await settleIn();
        act();
        await session.close();
        await refused(() => waiting, "Unavailable");
      });
      expect(endedMs).toBeLessThan(AT_ONCE_MS);
    });

    it("end calls that wait for room, and write nothing of them, when they are closed", async ({ skip }) => {
      const exhaust = need(rig.target.exhaust, skip);
      const [task, full] = [await rig.task(), await rig.topic()];
      const owner = await ok(rig.ports.tasks.acquire(task, 1));
      const relieve = await exhaust(full, 0);
      const before = await ok(rig.ports.log.times(full));
      const session = await rig.open();
      const outputs = [{ topic: full, partition: 0, records: records(1) }];
      const calls = [
        session.log.append(appendOf(full, records(1)))(),
        session.tasks.commit(commitOf(task, owner, { outputs }))(),
      ];
      await settleIn();
      await session.close();
      await settleIn();
      // Whoever still waits gets room now.
      await relieve();
      const answers = await Promise.all(calls);
      // A store that does not wait has said at once that there is no room.
      expect(answers.map((answer) => (answer._tag === "Left" ? answer.left._tag : "success"))).toEqual(
        calls.map(() => expect.stringMatching(/^(Unavailable|Full)$/)),
      );
      expect(await ok(rig.ports.log.times(full))).toMatchObject({
        partitions: [{ appended: before.partitions[0]?.appended }],
      });
    });

    it.each(CALLS)("that are closed answer %s with Unavailable", async (_, call) => {
      const task = await rig.task();
      const session = await rig.open();
      await session.close();
      await refused(call(session, task), "Unavailable");
    });
  });
}
