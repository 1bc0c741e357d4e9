import type { Observable } from "rxjs";

/** What an Observable has said so far. Keeps growing while the Observable emits. */
export interface Collected<A> {
  readonly values: A[];
  /** How it ended; `"open"` while it has not. */
  end: "open" | "completed" | { readonly error: unknown };
  unsubscribe(): void;
}

/** Subscribes and notes everything. */
export function collect<A>(source: Observable<A>): Collected<A> {
  const collected: Collected<A> = { values: [], end: "open", unsubscribe: () => subscription.unsubscribe() };
  const subscription = source.subscribe({
    next: (value) => collected.values.push(value),
    error: (error: unknown) => {
      collected.end = { error };
    },
    complete: () => {
      collected.end = "completed";
    },
  });
  return collected;
}

/** Lets every promise that is settled call back; no time passes. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
