import { type App, type Log, MillraceError, type Pipeline } from "@millrace/core";
import type { OperatorFunction } from "rxjs";
import { storedKeys } from "./stored-keys.ts";
import { TestDriverError } from "./test-driver-error.ts";
import type { Topics } from "./topics.ts";

/** An operator of a pipeline, or the name of its store. */
export type Asked = OperatorFunction<never, unknown> | string;

/** What asking for state needs. */
export interface StateAccess {
  readonly app: App;
  readonly log: Log;
  readonly topics: Topics;
}

/**
 * What an operator knows of every key that a record of its pipeline's topics has: state lies under keys of records only. Rejects with
 * `MillraceError` `InvalidOption` where no pipeline has the operator, with `InvalidCall` where several have it.
 */
export async function stateOf(
  of: StateAccess,
  asked: Asked,
  pipelines: readonly Pipeline[],
): Promise<ReadonlyMap<string, unknown>> {
  const pipeline = await pipelineOf(of, asked, pipelines);
  const known = new Map<string, unknown>();
  for (const key of await keysOf(of, pipeline)) {
    const results = await query(of, pipeline, asked, key);
    const [first] = results;
    if (first !== undefined) {
      known.set(key, isWindow(first) ? results : first.value);
    }
  }
  return known;
}

interface Result {
  readonly value: unknown;
  readonly start?: unknown;
}

function isWindow(result: Result): boolean {
  return result.start !== undefined;
}

async function query({ app }: StateAccess, pipeline: Pipeline, asked: Asked, key: string): Promise<readonly Result[]> {
  const results =
    typeof asked === "string"
      ? await app.queryStore(pipeline, asked, key)
      : await app.queryStore(pipeline, asked as OperatorFunction<unknown, unknown>, key);
  // Those of `window` and of `aggregate`: both have a value.
  return results as readonly Result[];
}

/** The only pipeline that has it. */
async function pipelineOf(of: StateAccess, asked: Asked, pipelines: readonly Pipeline[]): Promise<Pipeline> {
  const found: Pipeline[] = [];
  const refused: MillraceError[] = [];
  for (const pipeline of pipelines) {
    try {
      await query(of, pipeline, asked, "");
      found.push(pipeline);
    } catch (error) {
      if (!(error instanceof MillraceError && error._tag === "InvalidOption")) {
        throw error;
      }
      refused.push(error);
    }
  }
  const [only, other] = found;
  if (only === undefined) {
    const texts = refused.map(({ message }) => message).join("; ");
    throw new MillraceError("InvalidOption", texts, refused[0]);
  }
  if (other !== undefined) {
    throw new TestDriverError(
      "InvalidCall",
      `state: ${found.map(({ name }) => `"${name}"`).join(" and ")} have it: say which, state(operator, pipeline)`,
    );
  }
  return only;
}

async function keysOf({ app, log, topics }: StateAccess, pipeline: Pipeline): Promise<ReadonlySet<string>> {
  const { tasks } = await app.describeGroup(pipeline);
  const keys = new Set<string>();
  for (const name of new Set(tasks.map(({ task }) => task.slice(0, task.indexOf("/"))))) {
    const info = topics.find(name);
    for (const key of info === undefined ? [] : await storedKeys(log, info)) {
      keys.add(key);
    }
  }
  return keys;
}
