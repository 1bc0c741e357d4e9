import { BEFORE_FIRST, type PortError, type Ports, type TaskRef, type TopicInfo } from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { beat, enter, joinOf, otherStay } from "./group-scene.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, commitOf, otherIncarnation, record } from "./requests.ts";
import { fresh, type Rig, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** In values, headers, state and times: it must not turn up in a message. */
const SECRET = "s3cret-payload";

/** What a failure is about. */
interface Place {
  readonly ports: Ports;
  readonly topic: TopicInfo;
  /** Acquired, with one commit; another topic is sealed. */
  readonly task: TaskRef;
  readonly sealed: TopicInfo;
  readonly nonce: string;
}

/** A call that fails, and the identifier without which its message would not help. */
type Failing = readonly [
  title: string,
  tag: PortError["_tag"],
  about: (place: Place) => string,
  call: (place: Place) => TaskEither<PortError, unknown>,
];

const RECORDS = [record(SECRET, { headers: { token: SECRET } })];
const STATE = [{ store: "s", puts: [["k", SECRET] as const], deletes: [] }];

/** The task's commit, with another sequence than the next, or another nonce. */
function commitAt(
  { ports, task, nonce }: Place,
  rest: { readonly nonce?: string; readonly sequence: number },
): TaskEither<PortError, unknown> {
  const owner = { nonce, sequence: 0, offset: BEFORE_FIRST, processed: 0, time: null, quietMs: 0 };
  const outputs = [{ topic: task.topic, partition: 0, records: RECORDS }];
  return ports.tasks.commit(commitOf(task, owner, { outputs, state: STATE, time: SECRET, ...rest }));
}

const FAILING: readonly Failing[] = [
  [
    "a topic of another incarnation",
    "TopicLost",
    ({ topic }) => topic.name,
    ({ ports, topic }) => ports.log.append(appendOf(otherIncarnation(topic), RECORDS)),
  ],
  [
    "another number of partitions",
    "TopicMismatch",
    ({ topic }) => topic.name,
    ({ ports, topic }) => ports.log.ensureTopic({ name: topic.name, partitions: 7, defaultPartitions: 1 }),
  ],
  [
    "a gap in a producer's sequence",
    "SequenceGap",
    ({ topic }) => topic.name,
    ({ ports, topic }) => ports.log.append(appendOf(topic, RECORDS, { firstSequence: 5 })),
  ],
  [
    "a sealed topic",
    "TopicSealed",
    ({ sealed }) => sealed.name,
    ({ ports, sealed }) => ports.log.append(appendOf(sealed, RECORDS)),
  ],
  ["a commit of no owner", "Fenced", ({ task }) => task.group, (place) => commitAt(place, { nonce: "x", sequence: 1 })],
  ["a commit too late", "Regressed", ({ task }) => task.group, (place) => commitAt(place, { sequence: 7 })],
  [
    "an acquisition of an earlier generation",
    "Fenced",
    ({ task }) => task.group,
    ({ ports, task }) => ports.tasks.acquire(task, 0),
  ],
];

/** `PortError.message`: what failed, with identifiers; never a payload. And the names of adapters. */
export function describeFailures(spec: PortsConformance): void {
  describe("failures", () => {
    const rig = useRig(spec);

    it.each(FAILING)("name what they are about, and no payload: %s", async (_, tag, about, call) => {
      const place = await placeOf(rig);
      await refused(call(place), tag);
      await tells(call(place), about(place));
    });

    it("of members name the member, and the group", async () => {
      const { group: port } = rig.ports;
      const ref = await enter(rig.ports, fresh("group"), fresh("member"));
      await beat(rig.ports, ref);
      const stranger = { ...ref, member: fresh("stranger") };
      for (const [by, tag] of [
        [otherStay(ref), "Fenced"],
        [stranger, "NotMember"],
      ] as const) {
        const call = port.heartbeat(by, { generation: 0, isLeaving: false });
        await refused(call, tag);
        await tells(call, by.member);
        await tells(call, by.group);
      }
      const plan = { t: { partitions: 5, meaning: "other" } };
      const join = port.join(joinOf(ref.group, stranger.member, { plan }));
      await refused(join, "GroupMismatch");
      await tells(join, ref.group);
    });

    it("can name the adapter", () => {
      expect(rig.target.adapter.name).toMatch(/\S/);
    });
  });
}

async function placeOf(rig: Rig): Promise<Place> {
  const { ports } = rig;
  const [task, topic, sealed] = [await rig.task(), await rig.topic(), await rig.topic()];
  const owner = await ok(ports.tasks.acquire(task, 1));
  await ok(ports.tasks.commit(commitOf(task, owner, { time: SECRET, state: STATE })));
  await ok(ports.log.seal(sealed));
  return { ports, topic, task, sealed, nonce: owner.nonce };
}

async function tells(call: TaskEither<PortError, unknown>, identifier: string): Promise<void> {
  const result = await call();
  const message = result._tag === "Left" ? result.left.message : "";
  expect(message).toContain(identifier);
  expect(message).not.toContain(SECRET);
}
