/** Faults that no pipeline may have, put between the runtime and its store or its operators: the invariants must find them. */
import {
  type Adapter,
  around,
  BEFORE_FIRST,
  type Commit,
  filter,
  flatMap,
  native,
  type Ownership,
  type Ports,
  type Reader,
} from "@millrace/core";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as rx from "rxjs";
import {
  lettersAreDeserved,
  lettersAreWrittenOnce,
  nothingIsBothLetterAndOutput,
  nothingIsDoubled,
  nothingIsLost,
  nothingStaysThatCouldGo,
  outputsAreThoseOfTheModel,
  parkedKeysFlowAgain,
} from "./invariants.ts";
import type { Value } from "./model.ts";
import {
  committedWorkIsNotRepeated,
  idempotencyKeysHold,
  lanesDoNotOverlap,
  memoryIsBounded,
  outputsStayInOrder,
  parkedKeysWait,
  requestsAddUp,
  writesStayInOrder,
} from "./order-invariants.ts";
import type { Outcome } from "./outcome.ts";
import { LETTERS, type Operator } from "./shape.ts";

type Op = rx.OperatorFunction<Value, Value>;

/** What is broken. Default: nothing. */
export interface Sabotage {
  readonly store?: (store: Adapter) => Adapter;
  readonly operator?: (operator: Operator, op: Op) => Op;
}

/** A fault, and an invariant that must find it. */
export interface Bug extends Sabotage {
  readonly name: string;
  readonly foundBy: (outcome: Outcome) => void;
}

/** A store in which commits have another effect than was asked for. */
function withCommits(change: (commit: Commit, before: Ownership | undefined) => Commit): Sabotage {
  return {
    store: withPorts((ports) => {
      const owned = new Map<string, Ownership>();
      return {
        ...ports,
        tasks: {
          positions: (refs) => ports.tasks.positions(refs),
          acquire: (ref, generation) =>
            TE.map((ownership: Ownership) => {
              owned.set(ownership.nonce, ownership);
              return ownership;
            })(ports.tasks.acquire(ref, generation)),
          commit: (commit) => ports.tasks.commit(change(commit, owned.get(commit.nonce))),
        },
      };
    }),
  };
}

/** A store that tells the next owner of a task something else than it was told. */
function withOwnership(change: (ownership: Ownership) => Ownership): Sabotage {
  return {
    store: withPorts((ports) => ({
      ...ports,
      tasks: {
        positions: (refs) => ports.tasks.positions(refs),
        acquire: (ref, generation) => TE.map(change)(ports.tasks.acquire(ref, generation)),
        commit: (commit) => ports.tasks.commit(commit),
      },
    })),
  };
}

function withReaders(change: (reader: Reader) => Reader): Sabotage {
  return {
    store: withPorts((ports) => ({
      ...ports,
      log: {
        ensureTopic: (spec) => ports.log.ensureTopic(spec),
        append: (request) => ports.log.append(request),
        nextSequences: (topic, producer) => ports.log.nextSequences(topic, producer),
        seal: (topic) => ports.log.seal(topic),
        registerWriters: (...args) => ports.log.registerWriters(...args),
        times: (...args) => ports.log.times(...args),
        reader: (...args) => change(ports.log.reader(...args)),
      },
    })),
  };
}

function withPorts(change: (ports: Ports) => Ports): (store: Adapter) => Adapter {
  return (store) => ({
    name: `${store.name}, sabotaged`,
    open: () => TE.map((ports: Ports) => change({ ...ports, close: () => ports.close() }))(store.open()),
  });
}

const isLetterTopic = (name: string): boolean => name.endsWith(".dead-letters") || name === LETTERS;
const isLetterStore = (name: string): boolean => name.endsWith("!letters");

/** A commit that forgets what it was to note about letters under some keys. */
function forgetting(isForgotten: (key: string) => boolean): Sabotage {
  return withCommits((commit) => ({
    ...commit,
    state: commit.state.map(({ store, puts, deletes }) => ({
      store,
      puts: puts.filter(([key]) => !isLetterStore(store) || !isForgotten(key)),
      deletes: deletes.filter((key) => !isLetterStore(store) || !isForgotten(key)),
    })),
  }));
}

const isHandled = ({ kind }: Operator): boolean => kind === "mapOrdered" || kind === "flatMapOrdered";

export const BUGS: readonly Bug[] = [
  {
    name: "commits without their letters",
    foundBy: nothingIsLost,
    ...withCommits((commit) => ({
      ...commit,
      outputs: commit.outputs.filter(({ topic }) => !isLetterTopic(topic.name)),
    })),
  },
  {
    name: "commits with their letters, but without their position and state",
    foundBy: lettersAreWrittenOnce,
    ...withCommits((commit, before) => ({
      ...commit,
      offset: before?.offset ?? commit.offset,
      processed: before?.processed ?? commit.processed,
      state: [],
    })),
  },
  {
    name: "commits without their outputs",
    foundBy: nothingIsLost,
    ...withCommits((commit) => ({ ...commit, outputs: [] })),
  },
  {
    name: "commits whose outputs are written twice",
    foundBy: nothingIsDoubled,
    ...withCommits((commit) => ({
      ...commit,
      outputs: commit.outputs.map((output) => ({ ...output, records: [...output.records, ...output.records] })),
    })),
  },
  {
    name: "commits whose outputs are turned round",
    foundBy: outputsStayInOrder,
    ...withCommits((commit) => ({
      ...commit,
      outputs: commit.outputs.map((output) => ({ ...output, records: output.records.toReversed() })),
    })),
  },
  {
    name: "forgets which letters are done with",
    foundBy: nothingIsBothLetterAndOutput,
    ...forgetting((key) => key === "through" || key.startsWith("done:")),
  },
  {
    name: "forgets which letters are done with, so that they stay",
    foundBy: nothingStaysThatCouldGo,
    ...forgetting((key) => key === "through" || key.startsWith("done:")),
  },
  {
    name: "forgets which keys are parked",
    foundBy: parkedKeysWait,
    ...forgetting((key) => key.startsWith("parked:")),
  },
  {
    name: "forgets which keys are free again",
    foundBy: parkedKeysFlowAgain,
    ...withCommits((commit) => ({
      ...commit,
      state: commit.state.map((delta) => ({
        ...delta,
        deletes: delta.deletes.filter((key) => !key.startsWith("parked:")),
      })),
    })),
  },
  {
    name: "counts letters anew at each start",
    foundBy: lettersAreWrittenOnce,
    ...forgetting((key) => key === "written"),
  },
  {
    name: "tells of fewer letters than are done with",
    foundBy: requestsAddUp,
    ...withCommits((commit) => ({
      ...commit,
      state: commit.state.map((delta) => ({
        ...delta,
        puts: delta.puts.map(([key, value]) => [key, value.replace(/"done":[1-9]/, '"done":0')] as const),
      })),
    })),
  },
  {
    name: "lets the next owner begin at the beginning",
    foundBy: committedWorkIsNotRepeated,
    ...withOwnership((ownership) => ({ ...ownership, offset: BEFORE_FIRST, processed: 0 })),
  },
  {
    name: "reads more records than there is room for",
    foundBy: memoryIsBounded,
    ...withReaders((reader) => ({
      next: (budget) => reader.next({ ...budget, maxRecords: budget.maxRecords * 4 }),
      close: () => reader.close(),
    })),
  },
  {
    name: "has operators whose results overtake each other",
    foundBy: writesStayInOrder,
    operator: ({ kind }, op) =>
      kind === "map" ? (source) => native<Value, Value>("swap", swapped(), { stateless: true })(op(source)) : op,
  },
  {
    name: "has operators that make something up where they are called again",
    foundBy: outputsAreThoseOfTheModel,
    operator: ({ kind }, op) =>
      kind === "mapOrdered" ? around((next, { attempt }) => (attempt > 1 ? unmade(next) : next()))(op) : op,
  },
  {
    name: "has operators that fail for what they should not fail for",
    foundBy: lettersAreDeserved,
    operator: (operator, op) => (isHandled(operator) ? around(failing)(op) : op),
  },
  {
    name: "has operators whose calls run twice at once",
    foundBy: lanesDoNotOverlap,
    operator: (operator, op) => (isHandled(operator) ? around(twice)(op) : op),
  },
  {
    name: "has operators in front of which values take different ways each time",
    foundBy: idempotencyKeysHold,
    operator: (operator, op) => (isHandled(operator) ? (source) => op(astray(source)) : op),
  },
];

/** Hands every second value over in front of the one before it. */
function swapped(): Op {
  return (source) =>
    source.pipe(
      rx.bufferCount(2),
      rx.mergeMap((pair) => rx.from(pair.toReversed())),
    );
}

/** A value is now the first, now the second of what was made of it. */
const astray: Op = (source) =>
  source.pipe(
    flatMap((value: Value) => (Math.random() < 0.5 ? [value] : [null, value])),
    filter((value) => value !== null),
  );

/** A value that nothing was made of. */
function unmade<R>(_next: () => R): R {
  return Promise.resolve({ key: "k0", n: 0, id: "0", trail: "made up" }) as R;
}

function failing<R>(next: () => R): R {
  if (Math.random() < 0.2) {
    throw new Error("a failure that was not planned");
  }
  return next();
}

function twice<R>(next: () => R): R {
  Promise.resolve(next()).catch(() => {});
  return next();
}
