/**
 * A task without a store: its records lie ready in memory, its commits succeed at once. What takes time is the task itself:
 * reading within credits, units, event time, operators, merging into commits.
 */
import { type Adapter, createApp, offsetOf, type Pipeline, type Ports, type StoredRecord } from "@millrace/core";
import { memoryAdapter } from "@millrace/testing";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { startWatch, type Took } from "../stopwatch.ts";

const FIRST_MS = Date.UTC(2025, 0, 1);
/** A read waits for so long where there is nothing more. */
const WAIT_MS = 1_000;
const RECORD_BYTES = 100;
/** So many keys, in turn: neighbours have different ones. */
const KEYS = 5_000;

/** The first `count` records of a partition, a millisecond apart. Their payload is empty. */
export function storedRecords(count: number): readonly StoredRecord[] {
  return Array.from({ length: count }, (_, n) => ({
    offset: offsetOf(`${FIRST_MS + n}-0`, 0),
    key: `key-${n % KEYS}`,
    timestampMs: FIRST_MS + n,
    payload: "",
    headers: {},
    watermarkMs: null,
    bytes: RECORD_BYTES,
    appendedMs: 0,
    problem: null,
  }));
}

/** What an instant task runs. */
export interface InstantRun {
  /** Reads the topic `source`, which must have one partition. */
  readonly pipeline: Pipeline;
  readonly source: string;
  readonly records: readonly StoredRecord[];
}

/** Runs a pipeline over the records. Resolves with what that took, from the first read to the last commit; rejects when it fails. */
export async function runInstantly(run: InstantRun): Promise<Took> {
  let stop: ReturnType<typeof startWatch> | null = null;
  let end = (_took: Took): void => {};
  const ended = new Promise<Took>((resolve) => {
    end = resolve;
  });
  const adapter = instantAdapter(run, {
    began: () => {
      stop ??= startWatch();
    },
    committed: (processed) => {
      if (processed === run.records.length && stop !== null) {
        end(stop());
      }
    },
  });
  await using app = createApp({ name: "bench", adapter });
  const running = await app.run(run.pipeline);
  return await Promise.race([ended, running.done.then(() => ended)]);
}

interface InstantHost {
  readonly began: () => void;
  readonly committed: (processed: number) => void;
}

function instantAdapter({ source, records }: InstantRun, { began, committed }: InstantHost): Adapter {
  const memory = memoryAdapter();
  const instant = (ports: Ports): Ports => ({
    ...ports,
    log: instead(ports.log, {
      reader: (topic, partition, after) =>
        topic.name === source ? instantReader(records, began) : ports.log.reader(topic, partition, after),
    }),
    tasks: instead(ports.tasks, {
      commit: ({ processed }) => {
        committed(processed);
        return APPLIED;
      },
    }),
  });
  return { name: "memory without a store", open: () => TE.map(instant)(memory.open()) };
}

const APPLIED = TE.right("applied" as const);

function instantReader(records: readonly StoredRecord[], began: () => void): ReturnType<Ports["log"]["reader"]> {
  let next = 0;
  let wake = (): void => {};
  return {
    next: async ({ maxRecords }) => {
      if (next === 0) {
        began();
      }
      const batch = records.slice(next, next + maxRecords);
      next += batch.length;
      if (batch.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, WAIT_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return E.right({ records: batch, atEnd: next === records.length });
    },
    close: () => wake(),
  };
}

/** The port with some methods of its own in place of others. */
function instead<P extends object>(port: P, own: Partial<P>): P {
  return new Proxy(port, {
    get: (target, name) => {
      const method: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
}
