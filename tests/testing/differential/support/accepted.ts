/**
 * Where the two adapters differ, and why that is so. Everything else that differs fails the tests.
 *
 * Each difference is shown by calls that are the same for both, so that the table cannot grow old: a test fails as soon as
 * one of them is gone. Those that sequences come across on their own also say how to know them; sequences go on behind
 * them, for they are differences of an answer alone, not of what the stores hold.
 */
import { BEFORE_FIRST, type PortError, type Ports, type TopicInfo } from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { both, type Pair } from "./pair.ts";
import type { Step } from "./trace.ts";

/** A difference that is known, and left as it is. */
export interface Accepted {
  readonly title: string;
  /** Why neither has to change; or which one does not keep what its port says. */
  readonly reason: string;
  /** Calls that show it, with names that begin with `stem`; returns what they came to. */
  readonly show: (ports: Ports, stem: string) => Promise<unknown>;
  /** What they come to. */
  readonly shows: Pair<unknown>;
  /** Whether the last of these steps of a sequence shows it. Left out where sequences do not make such calls. */
  readonly is?: (steps: readonly Step[], name: string, isClosed: boolean) => boolean;
}

const RECORD = { key: "", timestampMs: 0, payload: "v", headers: {}, watermarkMs: null };

export const ACCEPTED: readonly Accepted[] = [
  {
    title: "a task that was released long after its holder had stopped is forgotten earlier by Redis",
    reason:
      "GroupSnapshot.pastOwners: remembered for memoryMs after it was held. Redis counts from when the holder stopped to " +
      "read (owners: stoppedAt), which is earlier by pausedMs. Only who is preferred depends on it, and only where a hand-over took minutes.",
    show: async ({ group: port }, group) => {
      const ref = await enter({ group: port }, group, "a");
      await right(port.take(ref, 0, ["t/0"]));
      await right(port.give(ref, { released: [{ task: "t/0", pausedMs: 400_000 }], completed: [] }));
      return (await right(port.snapshot(group))).pastOwners;
    },
    shows: { memory: [{ task: "t/0", member: "a" }], redis: [] },
    is: (steps, name) => name.endsWith("group.snapshot") && wasPaused(steps) && isAlikeWithout(steps, "pastOwners"),
  },
  {
    title: "a reader of Redis says that it is at the end, which it was when it fetched the records",
    reason:
      "ReadBatch.atEnd: the end was seen. Redis fetches the next records while the caller works on the last ones, so it speaks " +
      "of a moment between two calls of next. What was appended since comes with the next call. Whoever must know the end of " +
      "now asks Log.times.",
    show: async ({ log }, name) => {
      const topic = await topicOf({ log }, name);
      const append = (firstSequence: number, count: number): Promise<number> =>
        right(log.append(appendOf(topic, firstSequence, count)));
      await append(0, 2);
      const reader = log.reader(topic, 0, BEFORE_FIRST);
      const one = { maxRecords: 1, maxBytes: 1_000 };
      await reader.next(one);
      await right(log.times(topic));
      await append(2, 1);
      const second = await right(() => reader.next(one));
      reader.close();
      return second.atEnd;
    },
    shows: { memory: false, redis: true },
    is: (steps, name) =>
      name.startsWith("reader.next") && /^redis: at the end, .* newer/.test(steps.at(-1)?.answers.redis ?? ""),
  },
  {
    title: "a closed session of Redis answers where there is nothing to ask the server",
    reason:
      "Ports.close: calls end with Unavailable. Of a call that needs no I/O (no keys, no tasks), or is a mistake of the caller " +
      "(NaN), Redis says so before it looks for its connection.",
    show: async (ports, stem) => {
      const task = { group: stem, topic: await topicOf(ports, stem), partition: 0 };
      await ports.close();
      return [await outcome(ports.state.get(task, "s", [])), await outcome(ports.tasks.positions([]))];
    },
    shows: { memory: ["Unavailable", "Unavailable"], redis: [[], []] },
    is: (steps, _, isClosed) => {
      const { memory, redis } = steps.at(-1)?.answers ?? both("");
      return isClosed && memory.includes("Left Unavailable") && /^\[?(\[\]|throws RangeError)/.test(redis);
    },
  },
  {
    title: "a member with a semicolon in its name holds nothing in Redis",
    reason:
      "The port says nothing of names; core lets only such through as have none. Redis keeps holders as `<member>;<instance>;…`, " +
      "so such a member would never be listed as an owner, and others would take its tasks at once.",
    show: async ({ group: port }, group) => {
      const ref = await enter({ group: port }, group, "a;b");
      await right(port.take(ref, 0, ["t/0"]));
      return (await right(port.snapshot(group))).owners.length;
    },
    shows: { memory: 1, redis: 0 },
  },
  {
    title: "a partition that the topic does not have",
    reason: "A mistake of the caller: in memory it throws, in Redis it is a log that is missing.",
    show: async ({ log }, name) =>
      outcome(log.append({ ...appendOf(await topicOf({ log }, name), 0, 1), partition: 7 })),
    shows: { memory: "RangeError", redis: "TopicLost" },
  },
  {
    title: "names of topics that cannot be part of a key",
    reason:
      "The port says nothing of names. Redis refuses what would not be safe in a key; core lets only such names through.",
    show: ({ log }, stem) =>
      outcome(log.ensureTopic({ name: `${stem} {1}`, partitions: 1, defaultPartitions: 1 })).then((found) =>
        typeof found === "string" ? found : "created",
      ),
    shows: { memory: "created", redis: "Refused" },
  },
  {
    title: "event times that are no integers",
    reason: "A mistake of the caller (NewRecord.timestampMs: an integer). Redis cannot write it; in memory it is kept.",
    show: async ({ log }, name) => {
      const records = [{ ...RECORD, timestampMs: 1.5 }];
      return outcome(log.append({ ...appendOf(await topicOf({ log }, name), 0, 1), records }));
    },
    shows: { memory: 1, redis: "RangeError" },
  },
  {
    title: "half of a surrogate pair",
    reason: "It is no text: it has no UTF-8 form, and Redis writes U+FFFD in its place, as JavaScript does everywhere.",
    show: async ({ log }, name) => {
      const topic = await topicOf({ log }, name);
      await right(log.append({ ...appendOf(topic, 0, 1), records: [{ ...RECORD, payload: "a\uD83D" }] }));
      const reader = log.reader(topic, 0, BEFORE_FIRST);
      const found = await right(() => reader.next({ maxRecords: 1, maxBytes: 1 }));
      reader.close();
      return found.records[0]?.payload;
    },
    shows: { memory: "a\uD83D", redis: "a\uFFFD" },
  },
  {
    title: "a join of the same stay that says something else than before",
    reason:
      "A mistake of the caller (Group: calls may be repeated unchanged). Redis takes the new length of the session.",
    show: async ({ group: port }, group) => {
      const ref = await enter({ group: port }, group, "a");
      const view = await right(port.join({ ...joinOf(group, "a"), instance: ref.instance, sessionMs: 1_000 }));
      return view.nextExpiryMs <= 1_000;
    },
    shows: { memory: false, redis: true },
  },
];

/** The accepted difference that the last of these steps shows; `null`: it is none of them. */
export function acceptedBy(steps: readonly Step[], name: string, isClosed: boolean): Accepted | null {
  return ACCEPTED.find(({ is }) => is?.(steps, name, isClosed)) ?? null;
}

/** Whether somebody released a task that it had not read for a while. */
function wasPaused(steps: readonly Step[]): boolean {
  return steps.some(({ call }) => call.startsWith("group.give(") && /"pausedMs":[1-9]/.test(call));
}

/** Whether the last answers are alike but for one of their lists. */
function isAlikeWithout(steps: readonly Step[], list: string): boolean {
  const { memory, redis } = steps.at(-1)?.answers ?? both("");
  const without = (text: string): string => text.replaceAll(new RegExp(`"${list}":\\[[^\\]]*\\]`, "g"), "");
  return without(memory) === without(redis);
}

/** What a call came to: its answer, or the name of its failure. */
async function outcome(call: TaskEither<PortError, unknown>): Promise<unknown> {
  try {
    const result = await call();
    return result._tag === "Left" ? result.left._tag : result.right;
  } catch (error) {
    return error instanceof Error ? error.name : error;
  }
}

async function right<A>(call: TaskEither<PortError, A>): Promise<A> {
  const result = await call();
  if (result._tag === "Left") {
    throw new Error(result.left.message);
  }
  return result.right;
}

function topicOf({ log }: Pick<Ports, "log">, name: string): Promise<TopicInfo> {
  return right(log.ensureTopic({ name, partitions: 1, defaultPartitions: 1 }));
}

function appendOf(topic: TopicInfo, firstSequence: number, count: number): Parameters<Ports["log"]["append"]>[0] {
  const records = Array.from({ length: count }, () => RECORD);
  return { topic, partition: 0, producer: "p", ephemeral: false, firstSequence, records };
}

function joinOf(group: string, member: string): Parameters<Ports["group"]["join"]>[0] {
  const times = { sessionMs: 600_000, revocationMs: 600_000 };
  return { group, member, instance: "i", previous: null, ...times, weight: 1, plan: {}, host: "", pid: 1 };
}

async function enter(
  { group: port }: Pick<Ports, "group">,
  group: string,
  member: string,
): Promise<ReturnType<typeof joinOf>> {
  const request = joinOf(group, member);
  await right(port.join(request));
  return request;
}
