import type { GroupSnapshot, GroupView, JoinRequest, PlanEntry } from "@millrace/core";
import * as fc from "fast-check";
import { anySlot, type Command, type Play } from "./command.ts";
import {
  anyStay,
  anyTasks,
  groupName,
  MEMBERS,
  peekOf,
  type StayChoice,
  shownStay,
  stayOf,
  TASKS,
  type TaskChoice,
  tasksOf,
} from "./group-choices.ts";
import type { Side, Slot } from "./side.ts";
import type { World } from "./world.ts";

/** Longer than any test takes. */
const LONG_MS = 600_000;

const T: PlanEntry = { partitions: 4, meaning: "count" };
const PLANS: readonly Readonly<Record<string, PlanEntry>>[] = [
  { t: T },
  { t: T },
  { t: T, u: { partitions: 1, meaning: "" } },
  { u: { partitions: 1, meaning: "" } },
  {},
  { t: { ...T, meaning: "a;b" } },
  { t: { ...T, partitions: 11 } },
];

function showView(world: World, view: GroupView, side: Side): unknown {
  return {
    ...view,
    generation: world.stamp("generation", view.generation, side),
    nextExpiryMs: world.time(view.nextExpiryMs),
    // In real time it may become due between one call and the other.
    proposal: world.options.clock === null ? view.proposal !== null : view.proposal,
  };
}

function sortOfView({ target, proposal }: GroupView): string {
  const proposes = proposal === null ? "settled" : proposal === 0 ? "proposes" : "waits";
  return `${target === null ? "known" : target.length > 0 ? "tasks" : "no tasks"}, ${proposes}`;
}

function byText(one: unknown, two: unknown): number {
  return JSON.stringify(one) < JSON.stringify(two) ? -1 : 1;
}

/** A group as both must show it: lists of it have no order. */
function showSnapshot(world: World, found: GroupSnapshot, side: Side): unknown {
  const stamp = (generation: number): unknown => world.stamp("generation", generation, side);
  return {
    ...found,
    generation: stamp(found.generation),
    members: found.members
      .map((each) => ({ ...each, runs: each.runs.toSorted(), expiresInMs: world.time(each.expiresInMs) }))
      .toSorted(byText),
    owners: found.owners.toSorted(byText).map((each) => ({ ...each, generation: stamp(each.generation) })),
    pastOwners: found.pastOwners.toSorted(byText),
    completed: found.completed.toSorted(),
  };
}

type Entrance = "new" | "next" | "outdated" | "again";

interface JoinArgs extends Pick<JoinRequest, "sessionMs" | "revocationMs" | "weight" | "plan"> {
  readonly slot: Slot;
  readonly member: string;
  readonly as: Entrance;
}

async function join(play: Play, args: JoinArgs): Promise<void> {
  const { world } = play;
  const request = requestOf(play, args);
  const { group, member, instance, previous, sessionMs, revocationMs, weight, plan } = request;
  const session = world.session(args.slot);
  const found = await world.ask({
    name: "group.join",
    given: { member, instance, previous, sessionMs, revocationMs, weight, plan },
    to: (side) => session.of(side).group.join(request),
    show: (view, side) => showView(world, view, side),
    sort: sortOfView,
    session,
  });
  if (found !== null) {
    play.joins.set(instance, request);
    play.stays.push({ group, member, instance });
  }
}

/** The request of a join. One that is made again is the same: another one with the same stay would be a mistake. */
function requestOf(play: Play, { as, member, sessionMs, revocationMs, weight, plan }: JoinArgs): JoinRequest {
  const stays = play.stays.filter((stay) => stay.member === member).map(({ instance }) => instance);
  const [before, last] = [stays.at(-2) ?? "nobody's", stays.at(-1) ?? null];
  const again = last === null || as !== "again" ? undefined : play.joins.get(last);
  const previous = { new: null, next: last, outdated: before, again: null }[as];
  const instance = play.fresh("stay;");
  const { clock } = play.world.options;
  // In real time, nothing may end while a sequence is played.
  const times =
    clock === null
      ? { sessionMs: LONG_MS, revocationMs: revocationMs === 0 ? 0 : LONG_MS }
      : { sessionMs, revocationMs };
  const self = { group: groupName(play.world), member, instance, previous, host: "höst;1", pid: 7 };
  return again ?? { ...self, weight, plan, ...times };
}

/** The same generation for both; in real time, each has its own. */
async function generationOf(play: Play, behind: number): Promise<(side: Side) => number> {
  const { world } = play;
  const { generation } = await peekOf(play);
  const isReal = world.options.clock === null;
  const redis = isReal ? await world.sides[1]?.ports(0).group.snapshot(groupName(world))() : undefined;
  const theirs = redis?._tag === "Right" ? redis.right.generation : generation;
  return (side) => (side.kind === "redis" ? theirs : generation) - behind;
}

interface ByStay {
  readonly slot: Slot;
  readonly stay: StayChoice;
}

async function heartbeat(
  play: Play,
  args: ByStay & { readonly knows: boolean; readonly behind: number; readonly isLeaving: boolean },
): Promise<void> {
  const { world } = play;
  const ref = stayOf(play, args.stay);
  const known = await generationOf(play, args.behind);
  const session = world.session(args.slot);
  const { isLeaving } = args;
  await world.ask({
    name: "group.heartbeat",
    given: { by: shownStay(ref), knows: args.knows ? `generation - ${args.behind}` : "nothing", isLeaving },
    to: (side) => session.of(side).group.heartbeat(ref, { generation: args.knows ? known(side) : 0, isLeaving }),
    show: (view, side) => showView(world, view, side),
    sort: sortOfView,
    session,
  });
}

async function leave(play: Play, args: ByStay): Promise<void> {
  const ref = stayOf(play, args.stay);
  const session = play.world.session(args.slot);
  await play.world.ask({
    name: "group.leave",
    given: { by: shownStay(ref) },
    to: (side) => session.of(side).group.leave(ref),
    show: () => "left",
    session,
  });
}

async function propose(
  play: Play,
  args: ByStay & { readonly behindEpoch: number; readonly behind: number; readonly shares: readonly number[] },
): Promise<void> {
  const { world } = play;
  const ref = stayOf(play, args.stay);
  const { epoch: now } = await peekOf(play);
  const known = await generationOf(play, args.behind);
  const epoch = now - args.behindEpoch;
  const target = Object.fromEntries(
    MEMBERS.map((member, n) => [member, TASKS.filter((_, task) => (args.shares[task] ?? 0) % MEMBERS.length === n)]),
  );
  const session = world.session(args.slot);
  await world.ask({
    name: "group.propose",
    given: { by: shownStay(ref), epoch, generation: `of now - ${args.behind}`, target },
    to: (side) => session.of(side).group.propose({ ...ref, epoch, generation: known(side), target }),
    show: (answer) => answer,
    sort: (answer) => answer,
    session,
  });
}

async function take(play: Play, args: ByStay & { readonly behind: number; readonly tasks: TaskChoice }): Promise<void> {
  const { world } = play;
  const ref = stayOf(play, args.stay);
  const known = await generationOf(play, args.behind);
  const tasks = await tasksOf(play, ref, args.tasks);
  const session = world.session(args.slot);
  await world.ask({
    name: "group.take",
    given: { by: shownStay(ref), generation: `of now - ${args.behind}`, tasks },
    to: (side) => session.of(side).group.take(ref, known(side), tasks),
    show: ({ isCurrent, granted, held }) => ({
      isCurrent,
      granted: granted.map((each) => ({
        ...each,
        pausedMs: each.pausedMs === null ? null : world.time(each.pausedMs),
      })),
      held: held.map((each) => ({ ...each, forMs: world.time(each.forMs) })),
    }),
    sort: ({ isCurrent, granted, held }) => {
      const paused = granted.some(({ pausedMs }) => pausedMs !== null) ? " with a pause" : "";
      const some = `${granted.length > 0 ? `granted${paused}` : ""}${held.length > 0 ? " held" : ""}`;
      return isCurrent ? some || "nothing" : "outdated";
    },
    session,
  });
}

async function give(
  play: Play,
  args: ByStay & {
    readonly released: TaskChoice;
    readonly completed: TaskChoice;
    readonly pausedMs: number;
  },
): Promise<void> {
  const ref = stayOf(play, args.stay);
  const { pausedMs } = args;
  const completed = await tasksOf(play, ref, args.completed);
  const released = (await tasksOf(play, ref, args.released)).map((task) => ({ task, pausedMs }));
  const session = play.world.session(args.slot);
  await play.world.ask({
    name: "group.give",
    given: { by: shownStay(ref), released, completed },
    to: (side) => session.of(side).group.give(ref, { released, completed }),
    show: (count) => count,
    sort: (count) => (count > 0 ? "some complete" : "none complete"),
    session,
  });
}

/** The group as it is, alike. */
export async function snapshot(play: Play, slot: Slot): Promise<void> {
  const { world } = play;
  const session = world.session(slot);
  await world.ask({
    name: "group.snapshot",
    given: {},
    to: (side) => session.of(side).group.snapshot(groupName(world)),
    show: (found, side) => showSnapshot(world, found, side),
    sort: ({ members, owners, pastOwners, completed }) => {
      const lists = { members, owners, pastOwners, completed };
      return Object.entries(lists)
        .filter(([, list]) => list.length > 0)
        .map(([name]) => name)
        .join(" ");
    },
    session,
  });
}

const ofStay = { slot: anySlot, stay: anyStay };
const rarely = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) });

const anyReleased = fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: anyTasks });

/** A worker that enters. */
export const anyJoin: fc.Arbitrary<Command> = fc
  .record({
    slot: anySlot,
    member: fc.constantFrom(...MEMBERS),
    as: fc.constantFrom<Entrance>("new", "next", "outdated", "again"),
    sessionMs: fc.constantFrom(1_000, 30_000, 30_000, 400_000, 400_000),
    revocationMs: fc.constantFrom(0, 300, 10_000),
    weight: fc.constantFrom(1, 2.5, 0.001),
    plan: fc.constantFrom(...PLANS),
  })
  .map((args) => (play: Play) => join(play, args));

/** A call of the port `Group`, hints and topology excepted. */
export const anyGroupCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: anyJoin },
  {
    weight: 6,
    arbitrary: fc
      .record({
        ...ofStay,
        knows: fc.boolean(),
        behind: rarely,
        isLeaving: fc.constantFrom(false, false, false, false, true),
      })
      .map((args) => (play: Play) => heartbeat(play, args)),
  },
  { weight: 1, arbitrary: fc.record(ofStay).map((args) => (play: Play) => leave(play, args)) },
  {
    weight: 5,
    arbitrary: fc
      .record({
        ...ofStay,
        behindEpoch: rarely,
        behind: rarely,
        shares: fc.array(fc.nat(5), { minLength: TASKS.length, maxLength: TASKS.length }),
      })
      .map((args) => (play: Play) => propose(play, args)),
  },
  {
    weight: 8,
    arbitrary: fc
      .record({ ...ofStay, behind: rarely, tasks: anyTasks })
      .map((args) => (play: Play) => take(play, args)),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({ ...ofStay, released: anyReleased, completed: anyTasks, pausedMs: fc.constantFrom(0, 5, 400_000) })
      .map((args) => (play: Play) => give(play, args)),
  },
  { weight: 2, arbitrary: anySlot.map((slot) => (play: Play) => snapshot(play, slot)) },
);
