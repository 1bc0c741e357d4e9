/** What the code under simulation takes from its process and would make one run unlike the next. */
export interface Globals {
  readonly random: () => number;
  readonly setImmediate: (callback: () => void) => void;
}

/** Puts the simulation in the place of the process; the function returned puts everything back. */
export function ownGlobals({ random, setImmediate: soon }: Globals): () => void {
  const before = { random: Math.random, setImmediate: globalThis.setImmediate };
  Math.random = random;
  globalThis.setImmediate = ((callback: (...args: unknown[]) => void, ...args: unknown[]) =>
    soon(() => callback(...args))) as unknown as typeof setImmediate;
  return () => {
    Math.random = before.random;
    globalThis.setImmediate = before.setImmediate;
  };
}
