import type { GroupHint } from "@millrace/core";

/** Carries the hints of groups to whoever listens, in every session of a store. */
export class GroupHints {
  readonly #listeners = new Map<string, Set<(hint: GroupHint) => void>>();

  /** Calls back with every hint of `group` that is sent from now on, until the function that it returns is called. */
  watch(group: string, onHint: (hint: GroupHint) => void): () => void {
    const listeners = this.#listeners.get(group) ?? new Set();
    this.#listeners.set(group, listeners);
    // A function of its own: the same callback may be given twice.
    const listener = (hint: GroupHint): void => onHint(hint);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(group) === listeners) {
        this.#listeners.delete(group);
      }
    };
  }

  /** Never calls back at once, so that no listener runs in the middle of a call. */
  send(group: string, hint: GroupHint): void {
    const listeners = this.#listeners.get(group);
    for (const listener of listeners ?? []) {
      queueMicrotask(() => {
        if (listeners?.has(listener)) {
          listener(hint);
        }
      });
    }
  }
}
