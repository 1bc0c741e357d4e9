/** An adapter that sees what tasks read and what they commit. */
import type { Adapter, Commit, Ownership, Ports, Reader, TaskRef } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";

export interface SpyAdapter extends Adapter {
  /** The position of each task that has committed, as records processed, by `<topic>/<partition>`. */
  readonly processed: ReadonlyMap<string, number>;
  /** The most records that a task held at once: read, and not yet covered by a commit. */
  readonly mostHeld: number;
}

export const taskOf = ({ topic, partition }: Pick<TaskRef, "topic" | "partition">): string =>
  `${topic.name}/${partition}`;

/** What one owner of a task holds. */
interface Holding {
  /** Records before the first that it has read. */
  readonly from: number;
  read: number;
  committed: number;
}

/** Puts eyes in front of an adapter; `applied` is called when a commit has been applied, once for each. */
export function spyAdapter(inner: Adapter, applied: (commit: Commit) => void): SpyAdapter {
  const processed = new Map<string, number>();
  let mostHeld = 0;

  const watch = (ports: Ports): Ports => {
    const holdings = new Map<string, Holding>();
    const acquired = (ref: TaskRef, { processed: from }: Ownership): void => {
      holdings.set(taskOf(ref), { from, read: 0, committed: from });
    };
    const committed = (commit: Commit): void => {
      const task = taskOf(commit.task);
      const holding = holdings.get(task);
      if (holding !== undefined) {
        holding.committed = commit.processed;
      }
      processed.set(task, commit.processed);
      applied(commit);
    };
    const reader = (read: Reader, task: string): Reader => ({
      next: async (budget) => {
        const batch = await read.next(budget);
        const holding = holdings.get(task);
        if (holding !== undefined && E.isRight(batch)) {
          holding.read += batch.right.records.length;
          mostHeld = Math.max(mostHeld, holding.from + holding.read - holding.committed);
        }
        return batch;
      },
      close: () => read.close(),
    });
    const { log, tasks, group, state } = ports;
    return {
      group,
      state,
      close: () => ports.close(),
      tasks: {
        positions: (refs) => tasks.positions(refs),
        acquire: (ref, generation) =>
          TE.map((ownership: Ownership) => {
            acquired(ref, ownership);
            return ownership;
          })(tasks.acquire(ref, generation)),
        commit: (commit) =>
          TE.map((result: "applied" | "alreadyApplied") => {
            if (result === "applied") {
              committed(commit);
            }
            return result;
          })(tasks.commit(commit)),
      },
      log: {
        ensureTopic: (spec) => log.ensureTopic(spec),
        append: (request) => log.append(request),
        nextSequences: (topic, producer) => log.nextSequences(topic, producer),
        seal: (topic) => log.seal(topic),
        registerWriters: (...args) => log.registerWriters(...args),
        times: (...args) => log.times(...args),
        reader: (topic, partition, after) => reader(log.reader(topic, partition, after), taskOf({ topic, partition })),
      },
    };
  };

  return {
    name: `${inner.name}, watched`,
    open: () => TE.map(watch)(inner.open()),
    processed,
    get mostHeld() {
      return mostHeld;
    },
  };
}
