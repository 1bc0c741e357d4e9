import type { DueRange } from "@millrace/core";
import * as fc from "fast-check";
import { anySlot, type Command, type Play } from "./command.ts";
import type { Slot } from "./side.ts";
import { anyOwnedTask, KEYS, STORES, type TaskChoice, taskOf } from "./task-commands.ts";

interface OfStore {
  readonly slot: Slot;
  readonly task: TaskChoice;
  readonly store: string;
}

/** The values of keys, alike. */
export async function get(play: Play, args: OfStore & { readonly keys: readonly string[] }): Promise<void> {
  const task = taskOf(play, args.task);
  const session = play.world.session(args.slot);
  await play.world.ask({
    name: "state.get",
    given: { task: task.label, store: args.store, keys: args.keys },
    to: (side) => session.of(side).state.get(task[side.kind], args.store, args.keys),
    show: (values) => values,
    sort: (values) => (values.some((value) => value !== null) ? "some values" : "no values"),
    session,
  });
}

/** A whole store: those of a sequence are so small that they come as one page. */
export async function scan(play: Play, args: OfStore): Promise<void> {
  const task = taskOf(play, args.task);
  const session = play.world.session(args.slot);
  await play.world.ask({
    name: "state.scan",
    given: { task: task.label, store: args.store },
    to: (side) => session.of(side).state.scan(task[side.kind], args.store, null),
    show: ({ entries, cursor }) => ({ entries: entries.toSorted(([one], [two]) => (one < two ? -1 : 1)), cursor }),
    sort: ({ entries }) => (entries.length > 0 ? "entries" : "nothing"),
    session,
  });
}

/** What is due, alike. */
export async function due(play: Play, args: OfStore & { readonly range: DueRange }): Promise<void> {
  const task = taskOf(play, args.task);
  const session = play.world.session(args.slot);
  await play.world.ask({
    name: "state.due",
    given: { task: task.label, store: args.store, range: args.range },
    to: (side) => session.of(side).state.due(task[side.kind], args.store, args.range),
    show: (page) => page,
    sort: ({ entries, nextMs }) =>
      `${entries.length > 0 ? "entries" : "nothing"}, ${nextMs === null ? "and no more" : "and more behind"}`,
    session,
  });
}

async function drop(play: Play, args: OfStore): Promise<void> {
  const task = taskOf(play, args.task);
  const session = play.world.session(args.slot);
  await play.world.ask({
    name: "state.drop",
    given: { task: task.label, store: args.store },
    to: (side) => session.of(side).state.drop(task[side.kind], args.store),
    show: () => "dropped",
    session,
  });
}

const ofStore = { slot: anySlot, task: anyOwnedTask, store: fc.constantFrom(...STORES) };
const anyTime = fc.constantFrom(-6, -5, 0, 1, 7, 8, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN);
const anyRange = fc.record({
  fromMs: fc.oneof({ weight: 1, arbitrary: fc.constant(Number.NEGATIVE_INFINITY) }, { weight: 1, arbitrary: anyTime }),
  untilMs: fc.oneof({ weight: 1, arbitrary: fc.constant(Number.POSITIVE_INFINITY) }, { weight: 1, arbitrary: anyTime }),
  limit: fc.constantFrom(1, 2, 3, 100, 0),
});

/** A call of the port `StateStore`. */
export const anyStateCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ ...ofStore, keys: fc.array(fc.constantFrom(...KEYS), { maxLength: 4 }) })
      .map((args) => (play: Play) => get(play, args)),
  },
  { weight: 2, arbitrary: fc.record(ofStore).map((args) => (play: Play) => scan(play, args)) },
  { weight: 5, arbitrary: fc.record({ ...ofStore, range: anyRange }).map((args) => (play: Play) => due(play, args)) },
  { weight: 1, arbitrary: fc.record(ofStore).map((args) => (play: Play) => drop(play, args)) },
);
