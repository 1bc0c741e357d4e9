/** What there is twice: once of the adapter in memory, once of that on Redis. */
export interface Pair<A> {
  readonly memory: A;
  readonly redis: A;
}

/** Which of the two. */
export type Kind = keyof Pair<unknown>;

/** The same twice. */
export function both<A>(value: A): Pair<A> {
  return { memory: value, redis: value };
}
