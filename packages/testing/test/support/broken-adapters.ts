import type {
  Adapter,
  AppendError,
  CommitError,
  Ownership,
  Ports,
  ReadBatch,
  TakeAnswer,
  TaskPosition,
  TaskRef,
  TopicInfo,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";

/** An adapter that keeps all promises but one. */
export interface BrokenAdapter {
  /** What it does wrong. */
  readonly name: string;
  /** The block of the conformance suite that must notice, or one of those that must. */
  readonly noticedBy: string;
  /** The whole adapter, broken; whatever the sessions share is made anew for each. */
  readonly breaking: (adapter: Adapter) => Adapter;
  /** What it says of itself. */
  readonly hints?: { readonly skip: string };
}

/** Changes the ports of every session. */
function portsOf(adapter: Adapter, change: (ports: Ports) => Ports): Adapter {
  return { ...adapter, open: () => TE.map(change)(adapter.open()) };
}

function log(change: (port: Ports["log"]) => Partial<Ports["log"]>): BrokenAdapter["breaking"] {
  return (adapter) => portsOf(adapter, (ports) => ({ ...ports, log: around(ports.log, change(ports.log)) }));
}

function tasks(change: (port: Ports["tasks"]) => Partial<Ports["tasks"]>): BrokenAdapter["breaking"] {
  return (adapter) => portsOf(adapter, (ports) => ({ ...ports, tasks: around(ports.tasks, change(ports.tasks)) }));
}

function state(change: (port: Ports["state"]) => Partial<Ports["state"]>): BrokenAdapter["breaking"] {
  return (adapter) => portsOf(adapter, (ports) => ({ ...ports, state: around(ports.state, change(ports.state)) }));
}

function group(change: (port: Ports["group"]) => Partial<Ports["group"]>): BrokenAdapter["breaking"] {
  return (adapter) => portsOf(adapter, (ports) => ({ ...ports, group: around(ports.group, change(ports.group)) }));
}

/** The port with some methods replaced. The others are those of an object of a class, so they are looked up there. */
function around<Port extends object>(port: Port, changed: Partial<Port>): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const found: unknown = Reflect.get(changed, name) ?? Reflect.get(target, name);
      return typeof found === "function" ? found.bind(target) : found;
    },
  });
}

const keyOf = ({ group: name, topic, partition }: TaskRef): string => `${name} ${topic.name} ${partition}`;

/** Takes whatever nonce the last owner has. */
function anyNonce(adapter: Adapter): Adapter {
  const nonces = new Map<string, string>();
  return tasks((port) => ({
    acquire: (task, generation) =>
      TE.map((owner: Ownership) => {
        nonces.set(keyOf(task), owner.nonce);
        return owner;
      })(port.acquire(task, generation)),
    commit: (commit) => port.commit({ ...commit, nonce: nonces.get(keyOf(commit.task)) ?? commit.nonce }),
  }))(adapter);
}

/** How many commits a task of the suite has at most, where sequences are tried. */
const MOST_COMMITS = 20;

/** Takes every commit for the next one. */
const anySequence = tasks((port) => ({
  commit: (commit) => async () => {
    let result = await port.commit(commit)();
    for (let sequence = 0; sequence < MOST_COMMITS && isNotNext(result); sequence += 1) {
      result = await port.commit({ ...commit, sequence })();
    }
    return result;
  },
}));

function isNotNext(result: E.Either<CommitError, "applied" | "alreadyApplied">): boolean {
  return E.isLeft(result) ? result.left._tag === "Regressed" : result.right === "alreadyApplied";
}

/** Takes every topic for that of today. */
function anyIncarnation(adapter: Adapter): Adapter {
  const topics = new Map<string, TopicInfo>();
  const today = (topic: TopicInfo): TopicInfo => topics.get(topic.name) ?? topic;
  return log((port) => ({
    ensureTopic: (spec) =>
      TE.map((topic: TopicInfo) => {
        topics.set(topic.name, topic);
        return topic;
      })(port.ensureTopic(spec)),
    append: (request) => port.append({ ...request, topic: today(request.topic) }),
    times: (topic, partitions) => port.times(today(topic), partitions),
  }))(adapter);
}

/** Answers first, and commits a little later. */
const lateCommits = tasks((port) => ({
  commit: (commit) => async () => {
    setTimeout(() => void port.commit(commit)(), 5);
    return E.right("applied");
  },
}));

/** Writes the outputs first, and commits the rest a little later. */
function outputsFirst(adapter: Adapter): Adapter {
  let appended = 0;
  return portsOf(adapter, (ports) => ({
    ...ports,
    tasks: around(ports.tasks, {
      commit: (commit) => async () => {
        for (const { topic, partition, records } of commit.outputs) {
          appended += 1;
          const producer = `outputs ${appended}`;
          await ports.log.append({ topic, partition, producer, ephemeral: true, firstSequence: 0, records })();
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
        return ports.tasks.commit({ ...commit, outputs: [] })();
      },
    }),
  }));
}

/** Forgets who has appended what. */
function forgetful(adapter: Adapter): Adapter {
  let calls = 0;
  return log((port) => ({
    append: (request) => async () => {
      calls += 1;
      return port.append({ ...request, producer: `${request.producer} ${calls}`, firstSequence: 0 })();
    },
  }))(adapter);
}

/** Adapters that the suite must tell from one that keeps its promises. */
export const BROKEN: readonly BrokenAdapter[] = [
  { name: "accepts any nonce", noticedBy: "fence", breaking: anyNonce },
  { name: "takes every commit for the next one", noticedBy: "fence", breaking: anySequence },
  { name: "takes every topic for that of today", noticedBy: "topics", breaking: anyIncarnation },
  { name: "answers before it commits", noticedBy: "state store", breaking: lateCommits },
  { name: "writes outputs before the rest", noticedBy: "fence", breaking: outputsFirst },
  { name: "forgets what was appended", noticedBy: "append", breaking: forgetful },
  {
    name: "lets any generation acquire",
    noticedBy: "ownership",
    breaking: tasks((port) => ({ acquire: (task) => port.acquire(task, 1) })),
  },
  {
    name: "acquires anew when a call is repeated",
    noticedBy: "ownership",
    breaking: tasks((port) => ({ acquire: (task, generation) => () => port.acquire(task, generation)() })),
  },
  {
    name: "sorts positions",
    noticedBy: "positions",
    breaking: tasks((port) => ({
      positions: (refs) =>
        TE.map((found: readonly TaskPosition[]) => found.toSorted((one, two) => one.processed - two.processed))(
          port.positions(refs),
        ),
    })),
  },
  {
    name: "says that nothing is quiet",
    noticedBy: "the time for which a task has processed nothing",
    breaking: tasks((port) => ({
      acquire: (task, generation) =>
        TE.map((owner: Ownership) => ({ ...owner, quietMs: 0 }))(port.acquire(task, generation)),
    })),
  },
  {
    name: "trims what is not read yet",
    noticedBy: "reader",
    breaking: log((port) => ({
      reader: (topic, partition, after) => {
        const reader = port.reader(topic, partition, after);
        let reads = 0;
        return {
          next: async (budget) => {
            const found = await reader.next(budget);
            reads += 1;
            return E.map(({ records, atEnd }: ReadBatch) => ({
              records: reads === 1 && records.length > 1 ? records.slice(1) : records,
              atEnd,
            }))(found);
          },
          close: () => reader.close(),
        };
      },
    })),
  },
  {
    name: "says at every read that it was the end",
    noticedBy: "reader",
    breaking: log((port) => ({
      reader: (topic, partition, after) => {
        const reader = port.reader(topic, partition, after);
        return {
          next: async (budget) => {
            const found = await reader.next(budget);
            return E.map(({ records }: ReadBatch) => ({ records, atEnd: true }))(found);
          },
          close: () => reader.close(),
        };
      },
    })),
  },
  { name: "seals nothing", noticedBy: "seal", breaking: log(() => ({ seal: () => TE.right(undefined) })) },
  {
    name: "takes writers in again that were taken out",
    noticedBy: "times",
    breaking: log((port) => ({ registerWriters: (topic, writers) => port.registerWriters(topic, writers, false) })),
  },
  {
    name: "keeps what commits delete",
    noticedBy: "state store",
    breaking: tasks((port) => ({
      commit: (commit) => port.commit({ ...commit, state: commit.state.map((delta) => ({ ...delta, deletes: [] })) }),
    })),
  },
  {
    name: "takes no limit of what is due",
    noticedBy: "due times in a state store",
    breaking: state((port) => ({ due: (task, store, range) => port.due(task, store, { ...range, limit: 100_000 }) })),
  },
  {
    name: "drops nothing",
    noticedBy: "a state store that is dropped",
    breaking: state(() => ({ drop: () => TE.right(undefined) })),
  },
  {
    name: "lets a member in twice when its join is repeated",
    noticedBy: "group membership",
    breaking: group((port) => ({
      join: (request) => async () => port.join({ ...request, instance: `${request.instance} ${Math.random()}` })(),
    })),
  },
  {
    name: "lets nobody leave",
    noticedBy: "group membership",
    breaking: group(() => ({ leave: () => TE.right(undefined) })),
  },
  {
    name: "grants what others hold",
    noticedBy: "taking tasks",
    breaking: group((port) => ({
      take: (ref, generation, wish) =>
        TE.map(
          ({ isCurrent, granted, held }: TakeAnswer): TakeAnswer => ({
            isCurrent,
            granted: [...granted, ...held.map(({ task }) => ({ task, pausedMs: null }))],
            held: [],
          }),
        )(port.take(ref, generation, wish)),
    })),
  },
  {
    name: "stores any target",
    noticedBy: "group proposals",
    breaking: group((port) => ({
      propose: (proposal) => async () => {
        const now = await port.snapshot(proposal.group)();
        return port.propose(E.isRight(now) ? { ...proposal, ...pick(now.right) } : proposal)();
      },
    })),
  },
  {
    name: "stores any topology",
    noticedBy: "group topology",
    breaking: group((port) => ({
      storeTopology: (ref, change) => async () => {
        const now = await port.topology(ref.group)();
        const expected = E.isRight(now) ? (now.right?.revision ?? null) : change.expected;
        return port.storeTopology(ref, { ...change, expected })();
      },
    })),
  },
  {
    name: "goes on when it is closed",
    noticedBy: "sessions",
    breaking: (adapter) => portsOf(adapter, (ports) => ({ ...ports, close: () => Promise.resolve() })),
  },
  {
    name: "shows what records hold in its messages",
    noticedBy: "failures",
    breaking: log((port) => ({
      append: (request) =>
        TE.mapLeft((failure: AppendError) => ({
          ...failure,
          message: `${failure.message}: ${JSON.stringify(request.records)}`,
        }))(port.append(request)),
    })),
  },
];

/** Breaks nothing: hints may be lost. It says so, since tests would wait for one. */
export const SILENT: BrokenAdapter = {
  name: "sends no hints",
  noticedBy: "giving tasks",
  breaking: group(() => ({ watch: () => () => undefined })),
  hints: { skip: "there is no way to listen" },
};

function pick({ epoch, generation }: { readonly epoch: number; readonly generation: number }): {
  readonly epoch: number;
  readonly generation: number;
} {
  return { epoch, generation };
}
