import { randomUUID } from "node:crypto";
import { MillraceError } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { quote } from "../kernel/name.ts";
import type { Ports } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import { type Command, checkSelection, isSelected, type LetterSelection } from "../topology/command.ts";
import { CONTROL_STORE } from "../topology/failure-target.ts";
import type { DeadLetter, FoundLetter } from "../topology/letter.ts";
import { failureTargetsOf, type SubTopology } from "../topology/sub-topology.ts";
import { durationOption } from "../topology/topic.ts";
import { type Asking, askTasks, type Place } from "./ask-tasks.ts";
import { ControlStore } from "./control-store.ts";
import { LetterBook } from "./letter-book.ts";
import { readLetters } from "./letter-reader.ts";
import { loadStores } from "./load-stores.ts";
import { ensureTopics, topicOf } from "./plan-topics.ts";
import type { RetryOptions } from "./retrying.ts";

/** Which dead letters to list. */
export interface ListOptions extends LetterSelection {
  /** No more than these, a whole number >= 1. Default 100. */
  readonly limit?: number;
}

/** Which dead letters, and how long to wait for the workers. */
export interface AskOptions extends LetterSelection {
  /** Must be said where nothing else selects: all open letters of the pipeline. */
  readonly all?: true;
  /** No more than so many in each partition, the oldest first. A whole number >= 1. Default: all that are selected. */
  readonly limit?: number;
  /** For so long workers may take. Default `"1 minute"`. */
  readonly within?: Duration;
}

/** What workers have done, over all partitions. */
export interface AskResult {
  /** How many letters are letters no more. */
  readonly done: number;
  /** How many were to be redriven and stay: they failed again, or wait for one of their parked key that did. */
  readonly remaining: number;
  /** How many stay because an earlier letter of their parked key was not selected. */
  readonly waiting: number;
}

/**
 * The dead letters of one pipeline: values that its operators failed to process. A letter is *open* until it was redriven
 * or discarded. All methods reject with `MillraceError`.
 */
export interface DeadLetters {
  /** Open letters, in the order in which they were written, partition after partition. */
  list(options?: ListOptions): Promise<readonly DeadLetter[]>;
  /** One letter, with the operator's input; `null` where there is none such, or it is not open any more. */
  show(id: string): Promise<DeadLetter | null>;
  /**
   * Has the workers process letters again, from the operator on that failed: what was done before it is not repeated, and
   * what follows is part of the commit in which the letter ceases to be one. In the order in which they were written; those
   * of a parked key only from its first one on. The last letter of a parked key sets the key free. A letter whose operator
   * fails again stays as it is. Meanwhile the partition reads no new records.
   *
   * Resolves when all partitions are done. Rejects with `NoWorker` when that takes longer than `within`; what was asked is
   * then still done as soon as workers run, once. Asked again after an interruption, only what is still open is redriven.
   */
  redrive(options: AskOptions): Promise<AskResult>;
  /** As {@link redrive}, but letters are dropped. What stays of a parked key keeps its order. */
  discard(options: AskOptions): Promise<AskResult>;
}

/** What asking the workers of a pipeline needs. */
export interface PipelineAccess {
  readonly group: string;
  readonly subTopologies: readonly SubTopology[];
  readonly open: () => Promise<Ports>;
  readonly clock: Clock;
  /** Ends what waits. */
  readonly signal: AbortSignal;
}

export class PipelineLetters implements DeadLetters {
  private readonly access: PipelineAccess;

  constructor(access: PipelineAccess) {
    this.access = access;
  }

  async list(options: ListOptions = {}): Promise<readonly DeadLetter[]> {
    const { limit: most, ...said } = options;
    const limit = count("list: limit", most) ?? 100;
    const select = checkSelection("list", said);
    const found: DeadLetter[] = [];
    await this.read((letter) => {
      if (found.length < limit && isSelected(letter, select)) {
        found.push(letter.letter);
      }
      return found.length < limit;
    });
    return found;
  }

  async show(id: string): Promise<DeadLetter | null> {
    const [letter] = await this.list({ ids: [id], limit: 1 });
    return letter ?? null;
  }

  redrive(options: AskOptions): Promise<AskResult> {
    return this.askLetters("redrive", options);
  }

  discard(options: AskOptions): Promise<AskResult> {
    return this.askLetters("discard", options);
  }

  /** Ends the quarantine of tasks; returns how many were quarantined. */
  async resume(withinMs: number): Promise<number> {
    const ports = await this.access.open();
    const places = await this.quarantined(ports);
    const answers = await askTasks(this.asking(ports, withinMs), places, { id: randomUUID(), action: "resume" });
    return answers.filter(({ resumed }) => resumed).length;
  }

  private async askLetters(action: "redrive" | "discard", options: AskOptions): Promise<AskResult> {
    const { all, limit, within, ...said } = options;
    const select = checkSelection(action, said);
    if (all !== true && Object.keys(select).length === 0) {
      throw new MillraceError(
        "InvalidOption",
        `${action}: say which letters: { ids }, { key }, { node }, { from, to } or { all: true }`,
      );
    }
    const most = count(`${action}: limit`, limit);
    const withinMs = durationOption(`${action}: within`, within) ?? 60_000;
    const ports = await this.access.open();
    const places = await this.withOpenLetters(ports, select.node);
    const command: Command = { id: randomUUID(), action, select, most };
    const answers = await askTasks(this.asking(ports, withinMs), places, command);
    const sum = (part: "done" | "remaining" | "waiting"): number =>
      answers.reduce((total, answer) => total + answer[part], 0);
    return { done: sum("done"), remaining: sum("remaining"), waiting: sum("waiting") };
  }

  /** Goes through the open letters until `next` returns `false`. */
  private async read(next: (letter: FoundLetter) => boolean): Promise<void> {
    const ports = await this.access.open();
    for (const place of await this.places(ports)) {
      const books = await this.booksOf(ports, place);
      const { ref, topics, subTopology } = place;
      for (const topic of subTopology.letterTopics) {
        const of = { log: ports.log, info: topicOf(topics, topic), ref, books, retry: this.retry() };
        const hasAll = await readLetters(of, (letters) => Promise.resolve(letters.every(next)));
        this.refuseIfClosed();
        if (!hasAll) {
          return;
        }
      }
    }
  }

  private async booksOf(ports: Ports, { ref, subTopology }: Place): Promise<ReadonlyMap<string, LetterBook>> {
    const targets = failureTargetsOf(subTopology);
    const stores = targets.flatMap(({ letters }) => letters?.store ?? []);
    const contents = await loadStores(ports.state, { ref, stores }, this.retry());
    return new Map(
      targets.map(({ name, letters }) => [name, new LetterBook(contents.get(letters?.store ?? "") ?? [])]),
    );
  }

  private async places(ports: Ports): Promise<readonly Place[]> {
    const { group, subTopologies } = this.access;
    const topics = await ensureTopics(ports.log, subTopologies, this.retry());
    return subTopologies.flatMap((subTopology) => {
      const topic = topicOf(topics, subTopology.source);
      return Array.from({ length: topic.partitions }, (_, partition) => ({
        ref: { group, topic, partition },
        subTopology,
        topics,
      }));
    });
  }

  /** The open letters are with these; the others need not run. */
  private async withOpenLetters(ports: Ports, node: string | undefined): Promise<readonly Place[]> {
    const places = (await this.places(ports)).filter(({ subTopology }) => subTopology.letterTopics.length > 0);
    const hasLetters = await Promise.all(
      places.map(async (place) =>
        [...(await this.booksOf(ports, place))].some(
          ([name, { hasOpen }]) => hasOpen && (node === undefined || name === node),
        ),
      ),
    );
    return places.filter((_, index) => hasLetters[index]);
  }

  private async quarantined(ports: Ports): Promise<readonly Place[]> {
    const places = (await this.places(ports)).filter(({ subTopology }) => subTopology.control !== null);
    const isQuarantined = await Promise.all(
      places.map(async ({ ref }) => {
        const contents = await loadStores(ports.state, { ref, stores: [CONTROL_STORE] }, this.retry());
        return new ControlStore(contents.get(CONTROL_STORE) ?? []).quarantine !== null;
      }),
    );
    return places.filter((_, index) => isQuarantined[index]);
  }

  private asking(ports: Ports, withinMs: number): Asking {
    const { group, clock } = this.access;
    return { ports, group, clock, withinMs, retry: this.retry(), refuseIfClosed: () => this.refuseIfClosed() };
  }

  private retry(): RetryOptions {
    const { clock, signal } = this.access;
    return { clock, signal, stalled: () => {} };
  }

  private refuseIfClosed(): void {
    if (this.access.signal.aborted) {
      throw new MillraceError("Closed", "the app was closed");
    }
  }
}

function count(what: string, value: number | undefined): number | null {
  if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
    throw new MillraceError("InvalidOption", `${what} must be a whole number >= 1, not ${quote(value)}`);
  }
  return value ?? null;
}
