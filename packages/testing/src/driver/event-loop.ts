/** The process's own event loop and time, as the driver waits on them: never through globals, which a test may have faked. */
import { nextTick } from "node:process";
import { setImmediate, setTimeout } from "node:timers";
import { TestDriverError } from "./test-driver-error.ts";

/** So many turns with nothing but callbacks that come again and again are not worth waiting for. */
const MOST_IDLE_TURNS = 64;

/** What goes on for longer feeds itself: a turn is enough for hundreds of records. */
const MOST_TURNS = 10_000;

/** After so many times without a turn there is one, so that the process stays responsive. */
const TIMES_PER_TURN = 1_000;

let times = 0;

/**
 * Resolves when nothing happens any more without timers or I/O: all promise chains have come to their ends, and nobody waits for
 * the next turn of the event loop. `changes` grows while something happens. Resolves with `false` where that has no end.
 */
export async function quiet(changes: () => number): Promise<boolean> {
  await drained();
  times += 1;
  if (times % TIMES_PER_TURN === 0) {
    await turn();
  }
  let idle = 0;
  for (let turns = 0; turns < MOST_TURNS; turns += 1) {
    if (idle === MOST_IDLE_TURNS || !isTurnAwaited()) {
      return true;
    }
    const before = changes();
    await turn();
    idle = changes() === before ? idle + 1 : 0;
  }
  return false;
}

/** How many pauses are under way: they are the drivers' own, and must not look like somebody's work. */
let pauses = 0;

/** Resolves after `ms` of real time. */
export function pause(ms: number): Promise<void> {
  pauses += 1;
  return new Promise((resolve) => {
    setTimeout(() => {
      pauses -= 1;
      resolve();
    }, ms);
  });
}

/**
 * Throws `InvalidCall` where `setImmediate` is not Node's own: the runtime waits for it, so records would be left lying, and
 * nobody could tell them from those that wait for others.
 */
export function refuseFakes(): void {
  if (globalThis.setImmediate !== setImmediate) {
    throw new TestDriverError(
      "InvalidCall",
      "fake timers of a test runner must leave setImmediate alone, which the runtime waits for: " +
        'vi.useFakeTimers({ toFake: ["Date"] }), jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick"] })',
    );
  }
}

/** Node runs all microtasks, those included that they bring about, before the next of these callbacks. */
function drained(): Promise<void> {
  return new Promise((resolve) => {
    nextTick(resolve);
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Timers and I/O of the process that are under way, by kind. */
export type Underway = ReadonlyMap<string, number>;

/** What keeps the process busy now, turns of the event loop apart. */
export function underway(): Underway {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind !== TURN) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  }
  counts.set(TIMER, (counts.get(TIMER) ?? 0) - pauses);
  return counts;
}

/** Whether anything is under way that was not before. */
export function isMore(now: Underway, before: Underway): boolean {
  return [...now].some(([kind, count]) => count > (before.get(kind) ?? 0));
}

/** How Node calls what waits for a turn. */
const TURN = "Immediate";
/** How it calls a timer. */
const TIMER = "Timeout";

function isTurnAwaited(): boolean {
  return process.getActiveResourcesInfo().includes(TURN);
}
