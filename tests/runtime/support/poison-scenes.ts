/** Letters that are redriven while workers are killed. */
import type { App, AskResult, DeadLetters, Pipeline } from "@millrace/core";
import { type Bench, bench } from "./bench-top.ts";
import { type Kill, killedAdapter } from "./crash.ts";
import { committed, type Failing, itemsOf, numbersBut, Poison, planOf, source } from "./poison.ts";
import { workerOf } from "./workers.ts";

/** Short, so that what a killed worker had is taken over soon. */
export const SESSION = { session: "2 s" } as const;

/** Asks a worker that is killed around one of its commits; another one follows. */
export async function killedWhileAsked(
  of: { readonly top: Bench; readonly plan: Pipeline; readonly kill: Kill },
  ask: () => readonly Promise<AskResult>[],
  afterMs = 1_000,
): Promise<{ readonly wasKilled: boolean; readonly answers: readonly AskResult[] }> {
  const { top, plan, kill } = of;
  const victim = killedAdapter(top.adapter);
  await top.settle(workerOf(top, SESSION, { adapter: victim }).app.run(plan));
  await top.clock.advance(afterMs);
  victim.arm(kill);
  const state = { isAnswered: false };
  const answers = Promise.all(ask()).finally(() => {
    state.isAnswered = true;
  });
  answers.catch(() => {});
  while (!victim.isKilled && !state.isAnswered) {
    await top.clock.advance(50);
  }
  if (victim.isKilled) {
    await top.settle(workerOf(top, SESSION).app.run(plan));
  }
  return { wasKilled: victim.isKilled, answers: await top.settle(answers) };
}

/** Ends the input and has all of it processed. */
export async function finished(top: Bench, plan: Pipeline): Promise<void> {
  await top.send(source, [], { end: true });
  const running = await top.settle(workerOf(top, SESSION).app.run(plan));
  await top.settle(running.done);
}

/** How many items {@link parked} has processed. */
export const PARKED_COUNT = 42;
/** The item that could not be. */
export const PARKED_BAD = 20;
/** The letters of {@link parked}: the item and those behind it of its key. */
export const PARKED_NUMBERS = numbersBut(PARKED_COUNT).filter((n) => n % 7 === PARKED_BAD % 7 && n >= PARKED_BAD);

/** A pipeline with a parked key, and no worker. */
export interface Parked {
  readonly top: Bench;
  readonly plan: Pipeline;
  /** Runs nothing yet. */
  readonly app: App;
  readonly dead: DeadLetters;
  readonly poison: Poison;
}

/** All items processed by a worker that has gone, the key of {@link PARKED_BAD} parked, the cause repaired. */
export async function parked(failing: Failing): Promise<Parked> {
  const top = bench();
  const poison = new Poison(PARKED_BAD);
  const plan = planOf(failing(poison, "park"));
  await top.send(source, itemsOf(PARKED_COUNT), { end: false });
  const running = await top.settle(top.app().run(plan));
  await committed(top, plan, PARKED_COUNT);
  await top.settle(running.stop());
  poison.repair();
  const app = top.app("app");
  return { top, plan, app, dead: app.deadLetters(plan), poison };
}
