import { type Adapter, type Ports, portError } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { faultyAdapter } from "./faulty-adapter.ts";

/** When a worker is killed: around its commit of that number, counted over all of its tasks from 1. */
export interface Kill {
  readonly commit: number;
  /** Before the commit has an effect, or after that and before the worker learns of it. */
  readonly side: "before" | "after";
}

/** An adapter whose process is killed, as `kill -9` does. */
export interface KilledAdapter extends Adapter {
  /** Commits count from now on. */
  arm(kill: Kill): void;
  /** Whether the kill has come. */
  readonly isKilled: boolean;
}

/** Puts the death of a process in front of an adapter: armed, its calls have no effect and no answer from the kill on. */
export function killedAdapter(inner: Adapter): KilledAdapter {
  let commits = 0;
  let kill: Kill | null = null;
  let isKilled = false;
  const die = (): void => {
    isKilled = true;
    faulty.crash();
  };
  /** Which side of the commit that is begun now the kill is on; `null`: of another one. */
  const sideOfNext = (): Kill["side"] | null => {
    commits += kill === null ? 0 : 1;
    return kill !== null && kill.commit === commits ? kill.side : null;
  };
  const commitOf =
    (tasks: Ports["tasks"]): Ports["tasks"]["commit"] =>
    (commit) =>
    async () => {
      const side = sideOfNext();
      if (side === "before") {
        die();
        return E.left(portError("Unavailable", "killed"));
      }
      const result = await tasks.commit(commit)();
      if (side === "after") {
        die();
      }
      return result;
    };
  const counting: Adapter = {
    name: inner.name,
    open: () => async () => {
      const opened = await inner.open()();
      if (E.isLeft(opened)) {
        return opened;
      }
      const { tasks } = opened.right;
      const watched = overridden(tasks, "commit", commitOf(tasks));
      return E.right({ ...opened.right, tasks: watched, close: () => opened.right.close() });
    },
  };
  const faulty = faultyAdapter(counting, { seed: 1, rate: 0 });
  return {
    name: `${inner.name}, to be killed`,
    open: () => faulty.open(),
    arm: (at) => {
      kill = at;
    },
    get isKilled() {
      return isKilled;
    },
  };
}

/** An adapter whose appends have their effect, and whose first replies to them are lost. */
export function withoutReplies(inner: Adapter, replies: number): Adapter {
  let lost = 0;
  return {
    name: `${inner.name}, without replies`,
    open: () => async () => {
      const opened = await inner.open()();
      if (E.isLeft(opened)) {
        return opened;
      }
      const { log } = opened.right;
      const append: Ports["log"]["append"] = (request) => async () => {
        const result = await log.append(request)();
        lost += 1;
        return lost <= replies ? E.left(portError("Unavailable", "the reply was lost")) : result;
      };
      return E.right({ ...opened.right, log: overridden(log, "append", append), close: () => opened.right.close() });
    },
  };
}

/** A port of which one method is another. */
function overridden<P extends object, Name extends keyof P>(port: P, name: Name, method: P[Name]): P {
  return new Proxy(port, {
    get: (target, asked) => {
      const own: unknown = asked === name ? method : Reflect.get(target, asked);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}

/** Runs a scenario with a kill around each commit in turn, until one runs through without; returns how many were hit. */
export async function killedAtEachCommit(scenario: (kill: Kill) => Promise<boolean>): Promise<number> {
  let kills = 0;
  for (const side of ["before", "after"] as const) {
    let wasKilled = true;
    for (let commit = 1; wasKilled; commit += 1) {
      wasKilled = await scenario({ commit, side });
      kills += wasKilled ? 1 : 0;
    }
  }
  return kills;
}
