import type { Adapter, Ports, StatePage } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";

/** What is read instead of a value that lies in a store. */
export type Corruption = (key: string, value: string) => string;

/** An adapter whose stores of operators read as something else than was written. `asked`: told of each read by due time. */
export function corruptState(inner: Adapter, corrupt: Corruption, asked: () => void = () => {}): Adapter {
  return {
    name: `${inner.name}, corrupt`,
    open: () => async () => {
      const opened = await inner.open()();
      if (E.isLeft(opened)) {
        return opened;
      }
      const ports = opened.right;
      return E.right({ ...ports, state: stateOf(ports.state, corrupt, asked), close: () => ports.close() });
    },
  };
}

function stateOf(inner: Ports["state"], corrupt: Corruption, asked: () => void): Ports["state"] {
  const page = ({ entries, cursor }: StatePage): StatePage => ({
    entries: entries.map(([key, value]) => [key, corrupt(key, value)]),
    cursor,
  });
  return {
    scan: (task, store, cursor) => async () => E.map(page)(await inner.scan(task, store, cursor)()),
    get: (task, store, keys) => async () =>
      E.map((values: readonly (string | null)[]) =>
        values.map((value, n) => (value === null ? null : corrupt(keys[n] ?? "", value))),
      )(await inner.get(task, store, keys)()),
    due: (task, store, range) => {
      asked();
      return inner.due(task, store, range);
    },
    drop: (task, store) => inner.drop(task, store),
  };
}
