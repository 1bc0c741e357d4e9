import * as fc from "fast-check";
import type { Command } from "./command.ts";
import type { Lane } from "./lane.ts";
import { anySequence } from "./sequences.ts";

/** Repeats the sequences of another run. */
export const SEED = Number(process.env["MILLRACE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Plays so many sequences. Rejects with a shortest one at which the two adapters differ, and how to see it again. */
export async function check(lane: Lane, runs: number, seed: number): Promise<void> {
  const path = process.env["MILLRACE_PATH"];
  const property = fc.asyncProperty(anySequence, (commands) => lane.play(commands));
  const found = await fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) });
  if (found.failed) {
    const [commands] = found.counterexample ?? [[]];
    const error = (await shortestOf(lane, commands)) ?? found.errorInstance;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why}\nSeed ${found.seed}, path ${found.counterexamplePath}, after ${found.numRuns} sequences`);
  }
}

/** What a failing sequence fails with once no command can be left out; `undefined` where it does not fail again. */
async function shortestOf(lane: Lane, commands: readonly Command[]): Promise<unknown> {
  let shortest = commands;
  let error = await failureOf(lane, shortest);
  for (let at = shortest.length - 1; at >= 0; at -= 1) {
    const shorter = shortest.toSpliced(at, 1);
    const failure = await failureOf(lane, shorter);
    if (failure !== undefined) {
      [shortest, error] = [shorter, failure];
      // What came behind it may not be needed any more, either.
      at = shortest.length;
    }
  }
  return error;
}

async function failureOf(lane: Lane, commands: readonly Command[]): Promise<unknown> {
  return lane.play(commands).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Waits for all, then rejects with the first failure, if there is one. */
export async function all(runs: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(runs);
  for (const run of ended) {
    if (run.status === "rejected") {
      throw run.reason;
    }
  }
}
