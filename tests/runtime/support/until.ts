import type { VirtualClock } from "@millrace/testing";

/** Moves time on in steps until the promise settles; throws after `maxMs` of virtual time. */
export async function until<A>(clock: VirtualClock, promise: Promise<A>, maxMs = 600_000): Promise<A> {
  const state = { isSettled: false };
  const mark = (): void => {
    state.isSettled = true;
  };
  promise.then(mark, mark);
  for (let ms = 0; ms <= maxMs && !state.isSettled; ms += 50) {
    await clock.advance(50);
  }
  if (!state.isSettled) {
    throw new Error(`not settled after ${maxMs} ms of virtual time`);
  }
  return promise;
}
