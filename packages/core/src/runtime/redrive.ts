/**
 * Redrives or discards dead letters of one task. Nothing else runs in the task meanwhile, so what enters an operator in its
 * middle overtakes nothing. A letter that is done with is noted in the commit that has its effects: whoever goes on after an
 * interruption finds the rest.
 */
import * as E from "fp-ts/lib/Either.js";
import { DecodeError, HandlerError } from "../errors.ts";
import { type Command, isSelected } from "../topology/command.ts";
import { type FoundLetter, recordOf } from "../topology/letter.ts";
import { scope } from "../topology/stage.ts";
import type { LetterEntry } from "./build-stages.ts";
import { readLetters } from "./letter-reader.ts";
import { topicOf } from "./plan-topics.ts";
import type { RetryOptions } from "./retrying.ts";
import type { TaskOptions } from "./task-options.ts";

/** When so many letters have stopped the task, a command leaves the rest as it is. */
const MAX_STOPS = 10;

/** What redriving needs of its task. */
export interface RedriveHost {
  /** Runs each push in a unit of its own, in order. Resolves when all is committed; `false`: the task is over. */
  commit(pushes: readonly (() => void)[], blame?: (error: unknown, index: number) => unknown): Promise<boolean>;
  /** Event time of the task, in ms. */
  watermarkMs(): number;
  /** Letters that have stopped the task since the command was begun: they are not tried again. */
  readonly avoid: ReadonlyMap<string, unknown>;
  readonly retry: RetryOptions;
}

/** How far a command has come. */
export interface RedriveResult {
  readonly remaining: number;
  readonly waiting: number;
}

type LetterCommand = Extract<Command, { readonly action: "redrive" | "discard" }>;

export class Redrive {
  private readonly command: LetterCommand;
  /** How many letters each operator had written when the command was begun. */
  private readonly written: Readonly<Record<string, number>>;
  private readonly doneBefore: number;
  private readonly options: TaskOptions;
  private readonly entries: ReadonlyMap<string, LetterEntry>;
  private readonly host: RedriveHost;
  /** Parked keys of which an earlier letter stays. */
  private readonly passedOver = new Set<string>();
  private taken = 0;
  private done = 0;
  private waiting = 0;

  constructor(
    command: LetterCommand,
    task: {
      readonly options: TaskOptions;
      readonly entries: ReadonlyMap<string, LetterEntry>;
      readonly written: Readonly<Record<string, number>>;
      /** How many letters the command was done with before it was interrupted. */
      readonly done: number;
    },
    host: RedriveHost,
  ) {
    this.command = command;
    this.written = task.written;
    this.doneBefore = task.done;
    this.options = task.options;
    this.entries = task.entries;
    this.host = host;
  }

  /** `null`: the task is over, and another one will go on. Rejects with `MillraceError`. */
  async run(): Promise<RedriveResult | null> {
    for (const { failures } of this.entries.values()) {
      failures.beginRedrive();
    }
    const { ports, ref, subTopology, topics } = this.options;
    for (const topic of subTopology.letterTopics) {
      const entries = [...this.entries].filter(([, { target }]) => target.letters?.topic.name === topic.name);
      const books = new Map(entries.map(([name, { failures }]) => [name, failures.book]));
      const of = { log: ports.log, info: topicOf(topics, topic), ref, books, retry: this.host.retry };
      const hasAll = await readLetters(of, (letters) => this.handle(letters));
      if (!hasAll && !this.isEnough) {
        return null;
      }
    }
    return { remaining: this.taken - this.done, waiting: this.waiting };
  }

  private get isEnough(): boolean {
    return this.command.most !== null && this.doneBefore + this.taken >= this.command.most;
  }

  /** `false`: the task is over, or enough is done. */
  private async handle(letters: readonly FoundLetter[]): Promise<boolean> {
    for (const run of runsOf(letters.filter((found) => this.take(found)))) {
      if (!(await this.carryOut(run))) {
        return false;
      }
    }
    return !this.isEnough;
  }

  private take(found: FoundLetter): boolean {
    const isWanted = this.isWanted(found);
    this.taken += isWanted ? 1 : 0;
    return isWanted;
  }

  /** Letters that the command has caused are not meant by it. */
  private isWanted(found: FoundLetter): boolean {
    if (this.isEnough || found.number > (this.written[found.letter.node] ?? 0)) {
      return false;
    }
    return this.command.action === "discard" ? this.isChosen(found) : this.mayEnter(found);
  }

  private isChosen(found: FoundLetter): boolean {
    return isSelected(found, this.command.select);
  }

  /** Letters of a parked key go in order: from the first one on, without a gap. */
  private mayEnter(found: FoundLetter): boolean {
    const { node, key, isParked } = found.letter;
    const isChosen = this.isChosen(found);
    if (!isParked) {
      return isChosen;
    }
    const lane = `${node} ${key}`;
    const mustWait = this.passedOver.has(lane);
    if (!isChosen || mustWait) {
      this.passedOver.add(lane);
      this.waiting += isChosen ? 1 : 0;
    }
    return isChosen && !mustWait;
  }

  /** All letters are of one operator. */
  private async carryOut(run: readonly FoundLetter[]): Promise<boolean> {
    const entry = this.entries.get(run[0]?.letter.node ?? "");
    if (entry === undefined) {
      return true;
    }
    const { book } = entry.failures;
    const before = book.done;
    const entering = this.command.action === "discard" ? [] : run.filter((found) => this.mayTry(entry, found));
    const pushes =
      this.command.action === "discard"
        ? [() => this.discard(entry, run)]
        : entering.map((found) => () => this.enter(entry, found));
    const isOn = await this.host.commit(pushes, (error, index) => blamed(error, entering[index]));
    this.done += book.done - before;
    return isOn;
  }

  private discard({ failures }: LetterEntry, run: readonly FoundLetter[]): void {
    for (const found of run) {
      const { letter } = recordOf(found, Number.NEGATIVE_INFINITY);
      if (letter !== null) {
        failures.finish(letter, found.letter.key, scope.unit);
      }
    }
  }

  /** Whether a letter may enter its operator now. */
  private mayTry({ failures }: LetterEntry, { letter }: FoundLetter): boolean {
    const { avoid } = this.host;
    if (avoid.has(letter.id) && letter.isParked) {
      failures.markStuck(letter.key);
    }
    // Each letter that stops the task costs a restart. When many do, the fault is not theirs.
    const isTried = !avoid.has(letter.id) && avoid.size < MAX_STOPS;
    return isTried && !(letter.isParked && failures.isStuck(letter.key));
  }

  private enter(entry: LetterEntry, found: FoundLetter): void {
    const { failures, target, stage } = entry;
    const { letter } = found;
    const record = recordOf(found, entry.watermarkMs ?? this.host.watermarkMs());
    const decoded = letter.isForeign
      ? E.left([{ path: "", message: "was no record of Millrace, and can only be discarded" }])
      : target.codec.decode(letter.input);
    scope.record = record;
    if (E.isRight(decoded)) {
      stage.next(decoded.right);
    } else if (record.letter !== null) {
      const { topic, partition, offset, input: raw } = letter;
      const error = new DecodeError({ topic, partition, offset, raw, issues: decoded.left });
      failures.tellFailedAgain(record.letter, letter.key, error);
    }
  }
}

/** Letters of different operators enter one after the other: none overtakes what comes from further up. */
function runsOf(letters: readonly FoundLetter[]): readonly (readonly FoundLetter[])[] {
  const runs: FoundLetter[][] = [];
  for (const found of letters) {
    const last = runs.at(-1);
    if (last?.[0]?.letter.node === found.letter.node) {
      last.push(found);
    } else {
      runs.push([found]);
    }
  }
  return runs;
}

/** A failure in the unit of a letter is the letter's, unless it knows another one: the redrive goes on without it. */
function blamed(error: unknown, found: FoundLetter | undefined): unknown {
  if (found === undefined || (error instanceof HandlerError && error.letter !== null)) {
    return error;
  }
  return new HandlerError(found.letter.node, found.letter, error, found.letter.id);
}
