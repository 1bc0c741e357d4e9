import { type Adapter, type Ports, portError, type Tasks } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { expect, it } from "vitest";
import { run } from "../../simulation/src/run.ts";
import { scenarioOf } from "../../simulation/src/scenario.ts";

/** A store that is right but for one port, made anew for each simulation. */
type Spoil = () => (ports: Ports) => Partial<Ports>;

function spoilt(spoil: ReturnType<Spoil>): (store: Adapter) => Adapter {
  return (store) => ({
    name: `${store.name}, spoilt`,
    open: () => async () => {
      const opened = await store.open()();
      return E.isLeft(opened)
        ? opened
        : E.right({ ...opened.right, close: () => opened.right.close(), ...spoil(opened.right) });
    },
  });
}

function withTasks(tasks: Tasks, change: Partial<Tasks>): Tasks {
  return {
    acquire: (task, generation) => tasks.acquire(task, generation),
    commit: (commit) => tasks.commit(commit),
    positions: (refs) => tasks.positions(refs),
    ...change,
  };
}

const BUGS: Readonly<Record<string, Spoil>> = {
  "accepts the commits of whoever was the owner before": () => {
    const owners = new Map<string, { nonce: string; sequence: number }>();
    return ({ tasks }) => ({
      tasks: withTasks(tasks, {
        acquire: (task, generation) => async () => {
          const acquired = await tasks.acquire(task, generation)();
          if (E.isRight(acquired)) {
            owners.set(JSON.stringify(task), { ...acquired.right });
          }
          return acquired;
        },
        commit: (commit) => async () => {
          const owner = owners.get(JSON.stringify(commit.task));
          const { nonce = commit.nonce, sequence = commit.sequence } = owner ?? {};
          const done = await tasks.commit({ ...commit, nonce, sequence })();
          if (owner !== undefined && E.isRight(done)) {
            owner.sequence = sequence + 1;
          }
          return done;
        },
      }),
    });
  },
  "applies a commit again whose reply was lost": () => {
    const sequences = new Map<string, number>();
    return ({ tasks }) => ({
      tasks: withTasks(tasks, {
        commit: (commit) => async () => {
          const task = JSON.stringify([commit.task, commit.nonce]);
          const sequence = sequences.get(task) ?? commit.sequence;
          const done = await tasks.commit({ ...commit, sequence })();
          sequences.set(task, sequence + (E.isRight(done) ? 1 : 0));
          return done;
        },
      }),
    });
  },
  "forgets what a producer has appended": () => {
    let calls = 0;
    return ({ log }) => ({
      log: new Proxy(log, {
        get: (target, name) => {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== "function" || name !== "append") {
            return typeof method === "function" ? method.bind(target) : method;
          }
          return (request: Parameters<typeof log.append>[0]) => () => {
            calls += 1;
            return target.append({ ...request, producer: `${request.producer} ${calls}`, firstSequence: 0 })();
          };
        },
      }),
    });
  },
  "writes what a task has put out, and forgets that it is done": () => {
    let commits = 0;
    return ({ tasks }) => ({
      tasks: withTasks(tasks, {
        commit: (commit) => async () => {
          commits += 1;
          const isHalf = commits % 7 === 0 && commit.outputs.length > 0;
          const done = await tasks.commit(isHalf ? { ...commit, outputs: [] } : commit)();
          return isHalf ? E.left(portError("Unavailable", "half of it")) : done;
        },
      }),
    });
  },
};

/** Schedules in which a bug must have shown itself. */
const WITHIN = 400;

it.each(Object.entries(BUGS))(
  "a store that %s is found out",
  async (_name, spoil) => {
    let found = 0;
    let tried = 0;
    while (found === 0 && tried < WITHIN) {
      tried += 1;
      const { violations } = await run(scenarioOf(tried), spoilt(spoil()));
      found += violations.length;
    }
    expect(found).toBeGreaterThan(0);
  },
  120_000,
);
