import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import type { PortError } from "../ports/port-error.ts";
import type { StatePage, StateStore } from "../ports/state-store.ts";
import type { TaskRef } from "../ports/tasks.ts";
import { type RetryOptions, retrying } from "./retrying.ts";

/** The entries of each store of a task, by the store's name. */
export type StoreContents = ReadonlyMap<string, readonly (readonly [key: string, value: string])[]>;

/** Reads the stores of a task whole. Throws `MillraceError` when the store cannot be read at all. */
export async function loadStores(
  state: StateStore,
  of: { readonly ref: TaskRef; readonly stores: readonly string[] },
  retry: RetryOptions,
): Promise<StoreContents> {
  const load = async (store: string): Promise<readonly [string, readonly (readonly [string, string])[]]> => [
    store,
    await loadStore(state, { ref: of.ref, store }, retry),
  ];
  return new Map(await Promise.all(of.stores.map(load)));
}

async function loadStore(
  state: StateStore,
  of: { readonly ref: TaskRef; readonly store: string },
  retry: RetryOptions,
): Promise<readonly (readonly [string, string])[]> {
  // A scan may return a key twice.
  const entries = new Map<string, string>();
  let cursor: string | null = null;
  do {
    const page: E.Either<PortError, StatePage> = await retrying(() => state.scan(of.ref, of.store, cursor)(), retry);
    if (E.isLeft(page)) {
      throw new MillraceError(page.left);
    }
    for (const [key, value] of page.right.entries) {
      entries.set(key, value);
    }
    cursor = page.right.cursor;
  } while (cursor !== null);
  return [...entries];
}
