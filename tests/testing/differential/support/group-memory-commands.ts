/** What a group remembers of its pipeline, and its hints. */
import type { GroupHint } from "@millrace/core";
import * as fc from "fast-check";
import { anyBack, anySlot, type Command, latest, type Play } from "./command.ts";
import { anyStay, groupName, type StayChoice, shownStay, stayOf } from "./group-choices.ts";
import type { Kind } from "./pair.ts";
import type { Side, Slot } from "./side.ts";

const SENTINEL = "arrived-";

async function topology(play: Play, slot: Slot): Promise<void> {
  const { world } = play;
  const session = world.session(slot);
  await world.ask({
    name: "group.topology",
    given: {},
    to: (side) => session.of(side).group.topology(groupName(world)),
    show: (found, side) => found && { ...found, revision: world.stamp("revision", found.revision, side) },
    sort: (found) => (found === null ? "none" : "some"),
    session,
  });
}

/** The revision of what is stored, which in real time each store has its own of. */
async function revisionOf({ world }: Play): Promise<(side: Side) => number | null> {
  const found = {
    memory: await world.peek.group.topology(groupName(world))(),
    redis: world.options.clock === null ? await world.sides[1]?.ports(0).group.topology(groupName(world))() : undefined,
  };
  return ({ kind }) => {
    const answer = found[kind] ?? found.memory;
    return answer._tag === "Left" ? null : (answer.right?.revision ?? null);
  };
}

async function storeTopology(
  play: Play,
  args: {
    readonly slot: Slot;
    readonly stay: StayChoice;
    readonly expected: "the last" | "another" | "none";
    readonly topology: string;
    readonly onlyAlone: boolean;
  },
): Promise<void> {
  const { world } = play;
  const { expected, topology: text, onlyAlone } = args;
  const ref = stayOf(play, args.stay);
  const last = await revisionOf(play);
  const revisionFor = (side: Side): number | null =>
    ({ none: null, "the last": last(side), another: (last(side) ?? 0) + 1 })[expected];
  const session = world.session(args.slot);
  await world.ask({
    name: "group.storeTopology",
    given: { by: shownStay(ref), expected, topology: text, onlyAlone },
    to: (side) => session.of(side).group.storeTopology(ref, { expected: revisionFor(side), topology: text, onlyAlone }),
    show: (answer) => answer,
    sort: (answer) => answer,
    session,
  });
}

/** Listens in both, and makes sure that Redis does by now. */
async function watch(play: Play, slot: 0 | 1): Promise<void> {
  const { world } = play;
  const group = groupName(world);
  const heard: Record<Kind, GroupHint[]> = { memory: [], redis: [] };
  const stops = world.pair((side) => side.ports(slot).group.watch(group, (hint) => heard[side.kind].push(hint)));
  const hints = (kind: Kind): readonly GroupHint[] => heard[kind].filter((hint) => !isSentinel(hint));
  await arrived(play, heard.redis);
  heard.redis.length = 0;
  const label = play.fresh("watch ");
  world.compare("group.watch", { session: slot, as: label }, { memory: "listens", redis: "listens" });
  play.watches.push({
    label,
    end: async () => {
      await arrived(play, heard.redis);
      stops.memory();
      stops.redis();
      const found = { memory: hints("memory"), redis: hints("redis") };
      world.compare("hints", { of: label }, found);
      world.options.coverage.count("hints", found.memory.length > 0 ? "some" : "none");
    },
  });
}

/** Waits until what was sent to a listener of Redis has arrived. */
async function arrived(play: Play, heard: readonly GroupHint[]): Promise<void> {
  const { world } = play;
  const untilMs = performance.now() + 5_000;
  while (performance.now() < untilMs) {
    const sentinel = play.fresh(SENTINEL);
    await world.options.tellHint(groupName(world), sentinel);
    const isHere = (): boolean => heard.some((hint) => hint.kind === "released" && hint.tasks.includes(sentinel));
    for (let turn = 0; turn < 20 && !isHere(); turn += 1) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    if (isHere()) {
      return;
    }
  }
  throw new Error("no hint of Redis has arrived within 5 s");
}

function isSentinel(hint: GroupHint): boolean {
  return hint.kind === "released" && hint.tasks.some((task) => task.startsWith(SENTINEL));
}

async function unwatch(play: Play, back: number): Promise<void> {
  const found = latest(play.watches, back);
  if (found !== undefined) {
    play.watches.splice(play.watches.indexOf(found), 1);
    await found.end();
  }
}

/** What is stored for a group beside its members. */
export const anyTopologyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 1, arbitrary: anySlot.map((slot) => (play: Play) => topology(play, slot)) },
  {
    weight: 2,
    arbitrary: fc
      .record({
        slot: anySlot,
        stay: anyStay,
        expected: fc.constantFrom("the last" as const, "the last" as const, "another" as const, "none" as const),
        topology: fc.constantFrom("one", "two;é", ""),
        onlyAlone: fc.boolean(),
      })
      .map((args) => (play: Play) => storeTopology(play, args)),
  },
);

/** Listening, and its end. */
export const anyWatchCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<0 | 1>(0, 1).map((slot) => (play: Play) => watch(play, slot)) },
  { weight: 1, arbitrary: anyBack.map((back) => (play: Play) => unwatch(play, back)) },
);
