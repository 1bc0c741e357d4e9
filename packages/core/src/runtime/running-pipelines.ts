/** Pipelines that one call of `run` has started: they start and end together. */
import { MillraceError } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { quote } from "../kernel/name.ts";
import { durationOption } from "../topology/topic.ts";
import type { PipelineRun } from "./pipeline-run.ts";
import type { TaskStatus } from "./task-runner.ts";

/** The stores that `reset` names. Throws `InvalidOption` unless it is a list of names. */
export function resetOption(reset: unknown): ReadonlySet<string> {
  if (reset === undefined) {
    return new Set();
  }
  if (!Array.isArray(reset)) {
    throw new MillraceError("InvalidOption", `run: reset must be a list of names of stores, not ${quote(reset)}`);
  }
  const names: readonly unknown[] = reset;
  return new Set(
    names.map((name) => {
      if (typeof name !== "string") {
        throw new MillraceError("InvalidOption", `run: reset must be a list of names of stores; it has ${quote(name)}`);
      }
      return name;
    }),
  );
}

/** Rejects with `InvalidOption` where no pipeline has or had a store that is to be reset, with the names that there are. */
export async function refuseUnknownResets(runs: readonly PipelineRun[], reset: ReadonlySet<string>): Promise<void> {
  if (reset.size === 0) {
    return;
  }
  const found = await Promise.all(runs.map((run) => run.resettable()));
  const known = new Set(found.flatMap((names) => [...names]));
  const unknown = [...reset].find((name) => !known.has(name));
  if (unknown !== undefined) {
    const groups = runs.map(({ group }) => group).join(", ");
    const names = known.size === 0 ? "there is none" : `there are ${[...known].toSorted().join(", ")}`;
    throw new MillraceError("InvalidOption", `run: reset: ${groups} has no store ${quote(unknown)}; ${names}`);
  }
}

/** A pipeline that reads what another one writes finds its topic, whichever is named first. */
export async function startInOrder(runs: readonly PipelineRun[], refuseIfClosed: () => void): Promise<void> {
  for (const run of runs) {
    await run.prepare();
    refuseIfClosed();
  }
  for (const run of runs) {
    run.start();
  }
}

/** What `run` returns. */
export class RunningPipelines {
  readonly done: Promise<void>;
  private readonly runs: readonly PipelineRun[];
  isStopping = false;

  constructor(runs: readonly PipelineRun[]) {
    this.runs = runs;
    this.done = this.settle();
    // The caller may look at `done` later; until then a failure is not unhandled.
    this.done.catch(() => {});
  }

  get groups(): readonly string[] {
    return this.runs.map(({ group }) => group);
  }

  status(): readonly TaskStatus[] {
    return this.runs.flatMap((run) => run.status());
  }

  async stop(options: { readonly within?: Duration } = {}): Promise<void> {
    const withinMs = durationOption("stop: within", options.within) ?? 10_000;
    this.isStopping = true;
    await Promise.all(this.runs.map((run) => run.stop(withinMs)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** One pipeline that fails stops the others: they are one program. */
  private async settle(): Promise<void> {
    const dones = this.runs.map((run) => run.done);
    try {
      await Promise.all(dones);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }
}
