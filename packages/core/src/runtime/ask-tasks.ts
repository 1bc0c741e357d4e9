/** Asks tasks for something through their control topics, wherever they run, and waits for their answers. */
import { MillraceError } from "../errors.ts";
import { taskIdOf } from "../kernel/task-id.ts";
import type { Ports } from "../ports/adapter.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { TopicInfo } from "../ports/log.ts";
import type { TaskRef } from "../ports/tasks.ts";
import { type Answer, type Command, encodeCommand } from "../topology/command.ts";
import { CONTROL_STORE } from "../topology/failure-target.ts";
import type { SubTopology } from "../topology/sub-topology.ts";
import { answerIn } from "./control-store.ts";
import { demand } from "./demand.ts";
import { loadStores } from "./load-stores.ts";
import { topicOf } from "./plan-topics.ts";
import { type RetryOptions, retrying } from "./retrying.ts";

/** How often it is looked whether the workers have answered. */
const LOOK_MS = 100;

/** One partition of one sub-topology: who runs it is the task to ask. */
export interface Place {
  readonly ref: TaskRef;
  readonly subTopology: SubTopology;
  readonly topics: ReadonlyMap<string, TopicInfo>;
}

/** What asking needs. */
export interface Asking {
  readonly ports: Ports;
  readonly group: string;
  readonly clock: Clock;
  readonly withinMs: number;
  readonly retry: RetryOptions;
  /** Throws when nobody waits any more. */
  readonly refuseIfClosed: () => void;
}

/**
 * Writes a command for each of these tasks, and resolves with their answers. Rejects with `NoWorker` when one does not answer
 * in time, or is complete and nobody's any more.
 */
export async function askTasks(asking: Asking, places: readonly Place[], command: Command): Promise<readonly Answer[]> {
  await refuseComplete(asking, places);
  await Promise.all(places.map((place) => write(asking, place, command)));
  return await answersOf(asking, places, command);
}

/** A complete task is nobody's any more. */
async function refuseComplete({ ports, group, retry }: Asking, places: readonly Place[]): Promise<void> {
  const { completed } = await demand(() => retrying(ports.group.snapshot(group), retry));
  const complete = places.filter(({ ref }) => completed.includes(taskIdOf(ref.topic.name, ref.partition)));
  if (complete.length > 0) {
    const text = `${named(complete)} of ${group} are complete: their input was ended, and nothing of it is processed any more`;
    throw new MillraceError("NoWorker", text);
  }
}

async function write({ ports, clock, retry }: Asking, place: Place, command: Command): Promise<void> {
  const { ref, subTopology, topics } = place;
  if (subTopology.control !== null) {
    const payload = encodeCommand(command);
    const request = {
      topic: topicOf(topics, subTopology.control),
      partition: ref.partition,
      // The same however often it is sent.
      producer: command.id,
      ephemeral: true,
      firstSequence: 0,
      records: [{ key: "", timestampMs: clock.now(), payload, headers: {}, watermarkMs: null }],
      signal: retry.signal,
    };
    await demand(() => retrying(ports.log.append(request), retry));
  }
}

async function answersOf(asking: Asking, places: readonly Place[], command: Command): Promise<readonly Answer[]> {
  const { clock, retry, withinMs, refuseIfClosed } = asking;
  const deadlineMs = clock.now() + withinMs;
  const answers: Answer[] = [];
  let open = places;
  while (open.length > 0) {
    const looked = await Promise.all(
      open.map(async (place) => ({ place, answer: await answerOf(asking, place, command) })),
    );
    answers.push(...looked.flatMap(({ answer }) => answer ?? []));
    open = looked.flatMap(({ place, answer }) => (answer === null ? place : []));
    refuseIfClosed();
    if (open.length > 0 && clock.now() >= deadlineMs) {
      throw new MillraceError(
        "NoWorker",
        `${named(open)} of ${asking.group}: not done within ${withinMs} ms, because no worker has the task, or it is at work on other things, or starts again and again; it is done, once, as soon as it can be. See app.describeGroup, and status() of the workers`,
      );
    }
    if (open.length > 0) {
      await refuseComplete(asking, open);
      await sleep(clock, LOOK_MS, retry.signal);
    }
  }
  return answers;
}

async function answerOf({ ports, retry }: Asking, { ref }: Place, command: Command): Promise<Answer | null> {
  const contents = await loadStores(ports.state, { ref, stores: [CONTROL_STORE] }, retry);
  return answerIn(contents.get(CONTROL_STORE) ?? [], command.id);
}

function named(places: readonly Place[]): string {
  const tasks = places.slice(0, 5).map(({ ref }) => taskIdOf(ref.topic.name, ref.partition));
  const more = places.length > tasks.length ? ` and ${places.length - tasks.length} more` : "";
  return `${tasks.join(", ")}${more}`;
}
