/** Workers are killed around each of their commits in turn: letters are written once, and redriven once. */
import type { Pipeline } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { type Bench, bench } from "./support/bench-top.ts";
import { type Kill, killedAdapter, killedAtEachCommit } from "./support/crash.ts";
import { committed, itemsOf, numbersOf, Poison, sorted, source } from "./support/poison.ts";
import { BAD, CASES, COUNT, KEYS, withLetters } from "./support/poison-cases.ts";
import { finished, killedWhileAsked, SESSION } from "./support/poison-scenes.ts";
import { workerOf } from "./support/workers.ts";

/** Each runs its scenario some twenty times. */
const TIMEOUT_MS = 60_000;

/** Processes all items with workers of which the first one is killed; returns whether it was. */
async function processed(top: Bench, plan: Pipeline, kill: Kill): Promise<boolean> {
  await top.send(source, itemsOf(COUNT, KEYS), { end: false });
  const victim = killedAdapter(top.adapter);
  victim.arm(kill);
  await top.settle(workerOf(top, SESSION, { adapter: victim }).app.run(plan));
  for (let ms = 0; ms < 3_000 && !victim.isKilled; ms += 100) {
    await top.clock.advance(100);
  }
  return victim.isKilled;
}

describe.each(CASES)("$name", { timeout: TIMEOUT_MS }, ({ plan: planWith, letters, verify }) => {
  it("is written once, whenever its worker is killed, and redriven once", async () => {
    const kills = await killedAtEachCommit(async (kill) => {
      const top = bench();
      const poison = new Poison(...BAD);
      const plan = planWith(poison.check);
      const wasKilled = await processed(top, plan, kill);
      const { app } = workerOf(top, SESSION);
      const running = wasKilled ? await top.settle(app.run(plan)) : null;
      await committed(top, plan, COUNT);
      const dead = top.app("app").deadLetters(plan);
      expect(sorted(numbersOf(await top.settle(dead.list())))).toEqual(sorted(letters));
      if (running === null) {
        return wasKilled;
      }
      poison.repair();
      expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done: letters.length, remaining: 0, waiting: 0 });
      await top.send(source, [], { end: true });
      await top.settle(running.done);
      await verify(top);
      return wasKilled;
    });
    expect(kills).toBeGreaterThan(6);
  });

  it("is redriven once, whenever the worker that does so is killed", async () => {
    const kills = await killedAtEachCommit(async (kill) => {
      const { top, plan, ask } = await withLetters(planWith);
      const { wasKilled, answers } = await killedWhileAsked({ top, plan, kill }, ask({ all: true }));
      expect(answers).toEqual([{ done: letters.length, remaining: 0, waiting: 0 }]);
      await finished(top, plan);
      await verify(top);
      return wasKilled;
    });
    expect(kills).toBeGreaterThan(4);
  });
});
