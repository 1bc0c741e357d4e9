import { nextTick } from "node:process";
import { Agenda, type Entry } from "./agenda.ts";
import { ownGlobals } from "./own-globals.ts";
import { Random } from "./random.ts";
import { SimulatedProcess } from "./simulated-process.ts";

/** 2024-01-01T00:00:00Z: like a real time, so that nothing depends on starting at 0. */
const START_MS = 1_704_067_200_000;

/** Simulated time went on for so long that the scenario cannot come to an end any more. */
export class NoEnd extends Error {
  override readonly name = "NoEnd";
}

/**
 * Owns the time of a simulation, and with it every interleaving: timers, messages and turns of the event loop are entries of
 * one agenda, and what runs between two entries are promise chains, which have one order only. Nothing else is awaited, so
 * the seed decides everything.
 */
export class Scheduler {
  readonly random: Random;
  /** The process of the scenario itself. */
  readonly outside: SimulatedProcess;
  readonly #agenda = new Agenda();
  #nowMs = START_MS;
  #current: SimulatedProcess;
  #steps = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.outside = new SimulatedProcess(this, "scenario");
    this.#current = this.outside;
  }

  /** The time that nobody in the simulation can see as it is (ms since the Unix epoch, with fractions). */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Whose code runs. */
  get current(): SimulatedProcess {
    return this.#current;
  }

  /** How many entries have happened. */
  get steps(): number {
    return this.#steps;
  }

  /** Lets something happen in a process, whatever state that is in; see {@link SimulatedProcess} for what heeds it. */
  at(atMs: number, process: SimulatedProcess, action: () => void): Entry {
    return this.#agenda.add(Math.max(atMs, this.#nowMs), () => {
      this.#current = process;
      action();
    });
  }

  /**
   * Lets things happen until `scenario` settles, and settles like it. Rejects with {@link NoEnd} where that takes more than
   * `withinMs` of simulated time, or where nothing is left that could happen.
   */
  async play<A>(scenario: () => Promise<A>, withinMs: number): Promise<A> {
    const release = ownGlobals({
      random: () => this.random.next(),
      setImmediate: (callback) => this.current.soon(callback),
    });
    try {
      return await this.#play(scenario, this.#nowMs + withinMs);
    } finally {
      release();
    }
  }

  #play<A>(scenario: () => Promise<A>, untilMs: number): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      let isOver = false;
      const finish = (): void => {
        isOver = true;
      };
      const played = scenario();
      played.then(finish, finish);
      const step = (): void => {
        if (isOver) {
          resolve(played);
          return;
        }
        const entry = this.#agenda.next();
        if (entry === undefined || entry.atMs > untilMs) {
          const why = entry === undefined ? "nothing is left that could happen" : "simulated time ran out";
          reject(new NoEnd(`the scenario has no end: ${why}`));
          return;
        }
        this.#happen(entry);
        queueMicrotask(later);
      };
      // A tick that is asked for by a promise chain comes when all chains have come to rest.
      const later = (): void => nextTick(guarded);
      const guarded = (): void => {
        try {
          step();
        } catch (error) {
          reject(error);
        }
      };
      later();
    });
  }

  #happen({ atMs, action }: Entry): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
    if (action !== null) {
      this.#steps += 1;
      action();
    }
  }
}
