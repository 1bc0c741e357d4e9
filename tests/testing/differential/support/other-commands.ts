import * as fc from "fast-check";
import { anyBack, type Command, latest, type Play } from "./command.ts";
import type { Pair } from "./pair.ts";
import type { Shown } from "./world.ts";

/** Just short of, at and just behind the times that groups keep to. */
const STEPS_MS = [
  1, 1, 19, 20, 21, 80, 99, 100, 101, 300, 400, 499, 500, 999, 1_000, 1_001, 10_000, 30_000, 299_999, 300_000,
];

/** A call of before, once more: its reply was lost, or it arrives late. */
async function repeat(
  play: Play,
  args: { readonly back: number; readonly times: number; readonly atOnce: boolean },
): Promise<void> {
  const { world } = play;
  const made = latest(world.made, args.back);
  if (made === undefined) {
    return;
  }
  const runs = Array.from({ length: args.times });
  const all = async (again: Pair<() => Promise<Shown>>["memory"]): Promise<Shown> => {
    const shown: Shown[] = args.atOnce ? await Promise.all(runs.map(again)) : [];
    for (const _ of args.atOnce ? [] : runs) {
      shown.push(await again());
    }
    return { text: `[${shown.map(({ text }) => text).join(",")}]`, sort: shown[0]?.sort ?? "" };
  };
  const how = args.atOnce ? "at once" : "one after the other";
  const shown = { memory: await all(made.again.memory), redis: await all(made.again.redis) };
  const name = `again: ${made.name}`;
  world.note(`${name}(call ${made.number}, ${args.times} times, ${how})`, shown, {
    name,
    isClosed: made.session.isClosed,
  });
}

/** A call once more, at once or later. */
export const anyRepeat: fc.Arbitrary<Command> = fc
  .record({
    back: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: anyBack },
      { weight: 1, arbitrary: fc.nat(30) },
    ),
    times: fc.constantFrom(1, 2),
    atOnce: fc.boolean(),
  })
  .map((args) => (play: Play) => repeat(play, args));

/** The end of a session, while calls of others go on. */
export const anyClose: fc.Arbitrary<Command> = fc.constantFrom<0 | 1>(0, 1).map((slot) => async (play: Play) => {
  // What one listens to through it ends with it, and is compared before.
  for (const { end } of play.watches.splice(0)) {
    await end();
  }
  await play.world.close(slot);
  for (const reader of play.readers.filter(({ session }) => !session.isClosed)) {
    reader.state = "closed";
    reader.readers.memory.close();
    reader.readers.redis.close();
  }
});

/** Time passes, for both. */
export const anyPassage: fc.Arbitrary<Command> = fc
  .constantFrom(...STEPS_MS)
  .map((ms) => (play: Play) => play.world.pass(ms));
