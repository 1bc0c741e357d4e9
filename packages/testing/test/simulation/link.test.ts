import { portError } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { Link, type Weather } from "../../src/simulation/link.ts";
import { Scheduler, SimulatedProcess } from "../../src/simulation.ts";

const FAIR: Weather = { latencyMs: 10, breaks: 0, doubles: 0, lostHints: 0 };

interface Scene {
  readonly scheduler: Scheduler;
  readonly client: SimulatedProcess;
  readonly server: SimulatedProcess;
  readonly link: Link;
  /** What the server has done, in order. */
  readonly done: number[];
  /** Sends call number `n`; resolves with `n`, or the tag of the error. */
  readonly call: (n: number, isOnce?: boolean) => Promise<number | string>;
}

/** Plays a scene over one link. */
async function scene<A>(seed: number, weather: Partial<Weather>, act: (at: Scene) => Promise<A>): Promise<A> {
  const scheduler = new Scheduler(seed);
  const [client, server] = [new SimulatedProcess(scheduler, "client"), new SimulatedProcess(scheduler, "server")];
  const link = new Link({ scheduler, client, server, random: scheduler.random, weather: { ...FAIR, ...weather } });
  const done: number[] = [];
  const call = async (n: number, isOnce = false): Promise<number | string> => {
    const answer = await link.send(async () => {
      done.push(n);
      return E.right(n);
    }, isOnce);
    return E.isRight(answer) ? answer.right : answer.left._tag;
  };
  return await scheduler.play(() => act({ scheduler, client, server, link, done, call }), 100_000);
}

function passed(process: SimulatedProcess, ms: number): Promise<void> {
  return new Promise((resolve) => {
    process.after(ms, resolve);
  });
}

/** Runs a scene with many seeds. */
async function seeds<A>(weather: Partial<Weather>, act: (at: Scene) => Promise<A>): Promise<readonly A[]> {
  const found: A[] = [];
  for (let seed = 1; seed <= 200; seed += 1) {
    found.push(await scene(seed, weather, act));
  }
  return found;
}

const TEN = Array.from({ length: 10 }, (_, n) => n);

describe("a link", () => {
  it("carries requests and answers in order, and takes time", async () => {
    const took = await seeds({}, async ({ scheduler, done, call }) => {
      const startMs = scheduler.nowMs;
      const answered: (number | string)[] = [];
      await Promise.all(TEN.map((n) => call(n).then((answer) => answered.push(answer))));
      expect(done).toEqual(TEN);
      expect(answered).toEqual(TEN);
      return scheduler.nowMs - startMs;
    });
    expect(Math.min(...took)).toBeGreaterThan(0);
    expect(Math.max(...took)).toBeLessThanOrEqual(20);
    expect(new Set(took).size).toBeGreaterThan(100);
  });

  it("passes refusals of the store on", async () => {
    await scene(1, {}, async ({ link }) => {
      expect(await link.send(async () => E.left(portError("Fenced", "no")))).toMatchObject(E.left({ _tag: "Fenced" }));
    });
  });

  it("that breaks ends every call; what has not arrived arrives late, or never", async () => {
    const effects = await seeds({ latencyMs: 100 }, async ({ scheduler, link, done, call }) => {
      const calls = TEN.map((n) => call(n));
      await passed(scheduler.outside, 20);
      link.break();
      expect(await Promise.all(calls.map((answer) => answer))).toContain("Unavailable");
      const early = done.length;
      await passed(scheduler.outside, 5_000);
      expect(done).toEqual([...new Set(done)].toSorted((a, b) => a - b));
      return { early, late: done.length - early };
    });
    expect(effects.some(({ late }) => late > 0)).toBe(true);
    expect(effects.some(({ early, late }) => early + late < 10)).toBe(true);
  });

  it("that was broken lets later calls overtake those that are still to arrive", async () => {
    const orders = await seeds({ latencyMs: 200 }, async ({ scheduler, link, done, call }) => {
      void call(1);
      link.break();
      expect(await call(2)).toBe(2);
      await passed(scheduler.outside, 5_000);
      return done.join(" ");
    });
    expect(new Set(orders)).toEqual(new Set(["2", "1 2", "2 1"]));
  });

  it("breaks by itself as often as the weather says", async () => {
    const answers = await seeds({ breaks: 0.2 }, ({ call }) => call(1));
    const lost = answers.filter((answer) => answer === "Unavailable").length;
    expect(lost).toBeGreaterThan(10);
    expect(lost).toBeLessThan(80);
  });

  it("lets a request have its effect twice, unless that would be wrong, and answers once", async () => {
    const counts = async (isOnce: boolean): Promise<ReadonlySet<number>> =>
      new Set(
        await seeds({ doubles: 0.5 }, async ({ scheduler, done, call }) => {
          expect(await call(1, isOnce)).toBe(1);
          await passed(scheduler.outside, 5_000);
          return done.length;
        }),
      );
    expect(await counts(false)).toEqual(new Set([1, 2]));
    expect(await counts(true)).toEqual(new Set([1]));
  });

  it.each([
    ["requests", []],
    ["replies", [1]],
    ["both", []],
  ] as const)("that is cut for %s lets the caller wait, then give up", async (cut, effect) => {
    await scene(1, {}, async ({ scheduler, link, done, call }) => {
      const startMs = scheduler.nowMs;
      link.cut = cut;
      expect(await call(1)).toBe("Unavailable");
      expect(scheduler.nowMs - startMs).toBe(400);
      expect(done).toEqual(effect);
      link.cut = "none";
      expect(await call(2)).toBe(2);
    });
  });

  it("reaches a frozen server when that is thawed, and a dead client never", async () => {
    await scene(1, {}, async ({ scheduler, client, server, done, call }) => {
      server.freeze();
      const first = call(1);
      await passed(scheduler.outside, 500);
      expect(done).toEqual([]);
      server.thaw();
      expect(await first).toBe(1);
      const answers: (number | string)[] = [];
      void (async () => answers.push(await call(2)))();
      client.kill();
      await passed(scheduler.outside, 5_000);
      expect(done).toEqual([1, 2]);
      expect(answers).toEqual([]);
    });
  });
});
