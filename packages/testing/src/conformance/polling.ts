import { sleep, systemClock } from "@millrace/core";

const PAUSE_MS = 20;

/** Far more than anything takes: only a promise that is broken runs into it. */
const DEADLINE_MS = 20_000;

/** Asks again and again until the answer is not `null`. `what` says in the report what never came. */
export async function until<A>(what: string, ask: () => Promise<A | null>): Promise<A> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== null) {
      return answer;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`waited ${DEADLINE_MS} ms in vain until ${what}`);
    }
    await sleep(systemClock, PAUSE_MS);
  }
}

/** Lets at least so much time pass. */
export function passMs(delayMs: number): Promise<void> {
  return sleep(systemClock, delayMs);
}
