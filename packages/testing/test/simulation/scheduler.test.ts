import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Agenda } from "../../src/simulation/agenda.ts";
import { NoEnd, Random, Scheduler, SimulatedProcess } from "../../src/simulation.ts";

/** Plays `scenario` for as long as it takes. */
function play<A>(scheduler: Scheduler, scenario: () => Promise<A>): Promise<A> {
  return scheduler.play(scenario, 1_000_000);
}

function passed(process: SimulatedProcess, ms: number): Promise<void> {
  return new Promise((resolve) => {
    process.after(ms, resolve);
  });
}

describe("an agenda", () => {
  it("hands out entries by time, and those of one moment in the order of entry", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 60, size: "max" }), (times) => {
        const agenda = new Agenda();
        const entries = times.map((atMs) => agenda.add(atMs, () => {}));
        const expected = entries.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order);
        const found = entries.map(() => agenda.next());
        expect(found).toEqual(expected);
        expect(agenda.next()).toBeUndefined();
      }),
    );
  });

  it("stays in order while entries come and go", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat({ max: 9 }), { freq: 2 }), { maxLength: 80, size: "max" }), (steps) => {
        const agenda = new Agenda();
        const model: { atMs: number; order: number }[] = [];
        const pairs = steps.map((atMs) => {
          if (atMs !== null) {
            model.push(agenda.add(atMs, () => {}));
            return [];
          }
          model.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
          return [agenda.next(), model.shift()];
        });
        for (const [found, expected] of pairs) {
          expect(found).toBe(expected);
        }
      }),
    );
  });
});

describe("random numbers", () => {
  it("are the same for the same seed, and others for another one", () => {
    const draw = (seed: number): readonly number[] => {
      const random = new Random(seed);
      return Array.from({ length: 5 }, () => random.next());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(7)).toEqual([
      0.011_704_753_153_026_104, 0.061_958_257_574_588_06, 0.976_907_632_779_33, 0.699_028_705_712_407_8,
      0.521_445_268_532_261_3,
    ]);
  });

  it("cover a range evenly, ends included", () => {
    const random = new Random(1);
    const counts = new Map<number, number>();
    for (let n = 0; n < 4_000; n += 1) {
      const value = random.int(3, 6);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([3, 4, 5, 6]);
    expect(Math.min(...counts.values())).toBeGreaterThan(850);
  });

  it("cannot be picked from nothing", () => {
    expect(() => new Random(1).pick([])).toThrow(RangeError);
  });
});

describe("a scheduler", () => {
  it("lets simulated days pass at once, with whole milliseconds on the clocks", async () => {
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p", 0.5);
    const startMs = process.now();
    await play(scheduler, () => passed(process, 900_000.25));
    expect(process.now()).toBe(startMs + 900_000);
  });

  it("lets promise chains of any length come to rest before anything else happens", async () => {
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p");
    const seen: string[] = [];
    await play(scheduler, async () => {
      process.soon(() => void seen.push("next"));
      for (let n = 0; n < 1_000; n += 1) {
        await Promise.resolve();
      }
      seen.push("chain");
      await passed(process, 1);
    });
    expect(seen).toEqual(["chain", "next"]);
  });

  it("settles like the scenario", async () => {
    await expect(play(new Scheduler(1), () => Promise.resolve(4))).resolves.toBe(4);
    await expect(play(new Scheduler(1), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("rejects with what an entry throws", async () => {
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p");
    process.soon(() => {
      throw new Error("thrown in a timer");
    });
    await expect(play(scheduler, () => passed(process, 5))).rejects.toThrow("thrown in a timer");
  });

  it("says that a scenario has no end where nothing is left to happen, or time runs out", async () => {
    const never = (): Promise<never> => new Promise(() => {});
    await expect(play(new Scheduler(1), never)).rejects.toThrow(NoEnd);
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p");
    const tick = (): void => void process.after(10, tick);
    tick();
    await expect(scheduler.play(never, 1_000)).rejects.toThrow("simulated time ran out");
  });

  it("takes the place of Math.random and setImmediate, and gives them back", async () => {
    const { random } = Math;
    const immediate = globalThis.setImmediate;
    const drawn = async (): Promise<readonly number[]> =>
      play(new Scheduler(5), async () => {
        const first = Math.random();
        await new Promise((resolve) => setImmediate(resolve));
        return [first, Math.random()];
      });
    expect(await drawn()).toEqual(await drawn());
    await expect(play(new Scheduler(1), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(Math.random).toBe(random);
    expect(globalThis.setImmediate).toBe(immediate);
  });

  it("runs what a process left for later in that process: a frozen one does not go on", async () => {
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p");
    const seen: number[] = [];
    await play(scheduler, async () => {
      process.soon(() => setImmediate(() => void seen.push(scheduler.nowMs)));
      process.after(0, () => process.freeze());
      scheduler.at(scheduler.nowMs + 50, scheduler.outside, () => process.thaw());
      await passed(scheduler.outside, 100);
    });
    expect(seen).toHaveLength(1);
  });
});

describe("a process", () => {
  it("has a clock that may be wrong, and timers that are not", async () => {
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p", -3_600_000);
    await play(scheduler, async () => {
      const startMs = scheduler.nowMs;
      expect(process.now()).toBe(startMs - 3_600_000);
      await passed(process, 20);
      expect(scheduler.nowMs).toBe(startMs + 20);
    });
  });

  it("has a clock that can be set, which no timer notices", async () => {
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p");
    await play(scheduler, async () => {
      const startMs = process.now();
      const waited = passed(process, 20);
      process.setClock(5_000);
      process.setClock(-1_000);
      await waited;
      expect(process.now()).toBe(startMs + 4_020);
    });
  });

  it("calls no timer back that was called off, not even one that was due while it was frozen", async () => {
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p");
    const seen: string[] = [];
    await play(scheduler, async () => {
      const early = process.after(10, () => void seen.push("early"));
      early();
      process.freeze();
      const late = process.after(10, () => void seen.push("late"));
      await passed(scheduler.outside, 20);
      late();
      process.thaw();
      await passed(scheduler.outside, 20);
    });
    expect(seen).toEqual([]);
  });

  it("does what has come due while it was frozen when it is thawed, in that order", async () => {
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p");
    const seen: string[] = [];
    await play(scheduler, async () => {
      process.after(20, () => void seen.push(`b at ${scheduler.nowMs - startMs}`));
      process.after(10, () => void seen.push(`a at ${scheduler.nowMs - startMs}`));
      process.after(70, () => void seen.push(`c at ${scheduler.nowMs - startMs}`));
      const startMs = scheduler.nowMs;
      process.freeze();
      process.freeze();
      await passed(scheduler.outside, 50);
      expect(seen).toEqual([]);
      process.thaw();
      process.thaw();
      await passed(scheduler.outside, 50);
    });
    expect(seen).toEqual(["a at 50", "b at 50", "c at 70"]);
  });

  it("does nothing once it is dead, thawed or not", async () => {
    const scheduler = new Scheduler(1);
    const process = new SimulatedProcess(scheduler, "p");
    const seen: string[] = [];
    await play(scheduler, async () => {
      process.after(10, () => void seen.push("timer"));
      process.freeze();
      await passed(scheduler.outside, 20);
      process.kill();
      process.thaw();
      process.freeze();
      process.thaw();
      process.soon(() => void seen.push("soon"));
      await passed(scheduler.outside, 20);
    });
    expect(process.isDead).toBe(true);
    expect(seen).toEqual([]);
  });
});
