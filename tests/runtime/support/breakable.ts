import type { AppEvent } from "@millrace/core";
import type { Item } from "./bench-top.ts";

/** An operator's function that fails for some numbers, while it is broken. */
export function breakable(bad: (n: number) => boolean): {
  readonly state: { isBroken: boolean };
  readonly check: (item: Item) => Item;
} {
  const state = { isBroken: true };
  const check = (item: Item): Item => {
    if (state.isBroken && bad(item.n)) {
      throw new RangeError(`no ${item.n}`);
    }
    return item;
  };
  return { state, check };
}

export const numbers = (records: readonly { readonly value: Item }[]): number[] => records.map(({ value }) => value.n);
/** The events of one kind. */
export const tagged = <T extends AppEvent["_tag"]>(
  events: readonly AppEvent[],
  tag: T,
): readonly Extract<AppEvent, { readonly _tag: T }>[] =>
  events.filter((event): event is Extract<AppEvent, { readonly _tag: T }> => event._tag === tag);
