/** Adapters that break one promise each: the history of whoever uses them must show it. */
import type { Adapter, Commit, Ports, Reader } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";

type Ported = { readonly [Port in "log" | "tasks" | "state"]?: Partial<Ports[Port]> };

/** The same adapter, with some methods of its ports replaced. */
function changed(adapter: Adapter, change: (ports: Ports) => Ported): Adapter {
  return {
    name: `${adapter.name}, broken`,
    open: () => async () => {
      const opened = await adapter.open()();
      return E.map((ports: Ports): Ports => {
        const changes = change(ports);
        return {
          log: replaced(ports.log, changes.log ?? {}),
          tasks: replaced(ports.tasks, changes.tasks ?? {}),
          state: replaced(ports.state, changes.state ?? {}),
          group: ports.group,
          close: () => ports.close(),
        };
      })(opened);
    },
  };
}

function replaced<P extends object>(port: P, methods: Partial<P>): P {
  return new Proxy(port, {
    get: (target, name) => {
      const own: unknown = Object.hasOwn(methods, name) ? Reflect.get(methods, name) : Reflect.get(target, name);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}

/** Changes every commit that does something on its way to the store. */
function changingCommits(adapter: Adapter, change: (commit: Commit) => Commit): Adapter {
  return changed(adapter, ({ tasks }) => ({ tasks: { commit: (commit) => tasks.commit(change(commit)) } }));
}

/** A commit's last output is left out. */
export function forgettingOutputs(adapter: Adapter): Adapter {
  return changingCommits(adapter, (commit) => ({
    ...commit,
    outputs: commit.outputs.map((output) => ({ ...output, records: output.records.slice(0, -1) })),
  }));
}

/** A commit's changes of stores are left out. */
export function forgettingState(adapter: Adapter): Adapter {
  return changingCommits(adapter, (commit) => ({ ...commit, state: [] }));
}

/** The outputs of a commit lie in the log in the wrong order. */
export function reorderingOutputs(adapter: Adapter): Adapter {
  return changingCommits(adapter, (commit) => ({
    ...commit,
    outputs: commit.outputs.map((output) => ({ ...output, records: output.records.toReversed() })),
  }));
}

/** A commit counts again when it is repeated: its outputs are written once more. */
export function applyingTwice(adapter: Adapter): Adapter {
  return changed(adapter, ({ tasks, log }) => ({
    tasks: {
      commit: (commit) => async () => {
        const result = await tasks.commit(commit)();
        for (const { topic, partition, records } of E.isRight(result) ? commit.outputs : []) {
          const producer = `again ${commit.sequence}`;
          await log.append({ topic, partition, producer, ephemeral: true, firstSequence: 0, records })();
        }
        return result;
      },
    },
  }));
}

/** Says that commits are applied, and applies none. */
export function applyingNothing(adapter: Adapter): Adapter {
  return changed(adapter, () => ({ tasks: { commit: () => async () => E.right("applied") } }));
}

/** Readers are not given every seventh record. */
export function skippingRecords(adapter: Adapter): Adapter {
  let records = 0;
  return changed(adapter, ({ log }) => ({
    log: {
      reader: (topic, partition, after): Reader => {
        const reader = log.reader(topic, partition, after);
        return {
          next: async (budget) =>
            E.map(({ records: all, atEnd }: { records: readonly never[]; atEnd: boolean }) => ({
              atEnd,
              records: all.filter(() => {
                records += 1;
                return records % 7 !== 0;
              }),
            }))((await reader.next(budget)) as never),
          close: () => reader.close(),
        };
      },
    },
  }));
}

/** Reads of stores find nothing. */
export function readingNoState(adapter: Adapter): Adapter {
  return changed(adapter, () => ({
    state: {
      get: (_task, _store, keys) => async () => E.right(keys.map(() => null)),
      scan: () => async () => E.right({ entries: [], cursor: null }),
    },
  }));
}
