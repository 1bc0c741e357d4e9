/**
 * What one task does with values for which one of its operators fails. Its changes travel in the commit of the unit that
 * caused them.
 */
import * as E from "fp-ts/lib/Either.js";
import { HandlerError, MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import type { Any } from "../topology/any.ts";
import { type FailureDecision, type Failures, isDecision, type Verdict } from "../topology/failure.ts";
import type { FailureTarget } from "../topology/failure-target.ts";
import { encodeLetter, letterId } from "../topology/letter.ts";
import type { CurrentRecord, LetterRef } from "../topology/record.ts";
import { type DirtyStore, scope, type Unit } from "../topology/stage.ts";
import { LetterBook } from "./letter-book.ts";
import { type TaskOptions, taskName } from "./task-options.ts";

/** The most keys of one operator that are parked at once, in one task. */
const MAX_PARKED_KEYS = 1_000;

/** Asks for the quarantine of the task: it stops in front of the record. */
export class QuarantineError extends HandlerError {}

/** How a value becomes a letter. */
interface Writing {
  readonly isForeign: boolean;
  readonly isParked: boolean;
  /** `null`: the operator has not failed for it. */
  readonly error: { readonly cause: unknown } | null;
  readonly attempts: number;
}

export class NodeFailures implements Failures, DirtyStore {
  /** As of the values that were settled, in the order of units. */
  readonly book: LetterBook;
  private readonly target: FailureTarget;
  private readonly options: TaskOptions;
  private readonly task: string;
  /** How many letters of each parked key are open, as of the values that were decided about: it may be ahead of the book. */
  private readonly decided: Map<string, number>;
  /** Parked keys whose first letter has failed again: the rest of them stays, too. */
  private readonly stuck = new Set<string>();

  constructor(target: FailureTarget, options: TaskOptions, entries: Iterable<readonly [key: string, value: string]>) {
    this.target = target;
    this.options = options;
    this.task = taskName(options.ref);
    this.book = new LetterBook(entries);
    this.decided = new Map(this.book.parked);
  }

  /** Letters are about to be redriven: keys that were stuck may try again. */
  beginRedrive(): void {
    this.stuck.clear();
  }

  /** A letter cannot be redriven now: neither can the rest of its parked key. */
  tellFailedAgain(letter: LetterRef, key: string, error: unknown): void {
    if (letter.isParked) {
      this.stuck.add(key);
    }
    this.options.emit({ _tag: "RedriveFailed", task: this.task, letter: letter.id, error });
  }

  /** The rest of the parked key stays as it is until {@link beginRedrive}. */
  markStuck(key: string): void {
    this.stuck.add(key);
  }

  /** Whether the parked key has a letter that failed again since {@link beginRedrive}. */
  isStuck(key: string): boolean {
    return this.stuck.has(key);
  }

  admit(record: CurrentRecord): Verdict | null {
    if (this.isOwn(record.letter)) {
      return record.letter.isParked && this.stuck.has(record.key) ? { kind: "stays", error: null } : null;
    }
    const before = this.decided.get(record.key);
    if (before === undefined) {
      return null;
    }
    this.decided.set(record.key, before + 1);
    return { kind: "behind" };
  }

  /** As {@link Failures.decide}. `isForeign`: of an entry that is no record, so that it may have no key that can be read. */
  decide(
    cause: unknown,
    of: { readonly record: CurrentRecord; readonly attempts: number; readonly isForeign?: boolean },
  ): Verdict {
    const { record, attempts } = of;
    const { letter } = record;
    if (this.isOwn(letter)) {
      if (letter.isParked) {
        this.stuck.add(record.key);
      }
      return { kind: "stays", error: { cause } };
    }
    const asked = this.ask(cause, record);
    // Without a key there is nothing to park: records whose key is "" have nothing to do with it.
    const decision = asked === "park" && of.isForeign === true && record.key === "" ? "deadLetter" : asked;
    switch (decision) {
      case "fail":
        throw this.failure(cause, record);
      case "quarantine":
        throw new QuarantineError(this.target.label, placeOf(record), cause, letterOf(record));
      case "skip":
        this.options.emit({ _tag: "Skipped", task: this.task, node: this.target.name, id: record.id, error: cause });
        return { kind: "skip" };
      case "deadLetter":
        return { kind: "deadLetter", error: cause, attempts };
      case "park":
        this.park(record);
        return { kind: "park", error: cause, attempts };
    }
  }

  decideResult(cause: unknown, record: CurrentRecord): void {
    switch (this.ask(cause, record)) {
      case "skip":
        this.options.emit({ _tag: "Skipped", task: this.task, node: this.target.name, id: record.id, error: cause });
        return;
      case "quarantine":
        throw new QuarantineError(this.target.label, null, cause, null, record.id);
      case "fail":
      case "deadLetter":
      case "park":
        throw this.failure(cause, record);
    }
  }

  /** As {@link Failures.settle}. `isForeign`: the value is what was found of an entry that is no record. */
  settle(value: unknown, verdict: Verdict | null, isForeign = false): void {
    const { record, unit } = scope;
    const { letter } = record;
    switch (verdict?.kind) {
      case undefined:
        if (this.isOwn(letter)) {
          this.finish(letter, record.key, unit);
        }
        return;
      case "skip":
        return;
      case "deadLetter":
      case "park":
        this.write(value, {
          isForeign,
          isParked: verdict.kind === "park",
          error: { cause: verdict.error },
          attempts: verdict.attempts,
        });
        return;
      case "behind":
        this.write(value, { isForeign, isParked: true, error: null, attempts: 0 });
        return;
      case "stays":
        if (letter !== null && verdict.error !== null) {
          this.tellFailedAgain(letter, record.key, verdict.error.cause);
        }
    }
  }

  /** A letter is done with: processed or discarded. */
  finish(letter: LetterRef, key: string, unit: Unit): void {
    if (this.book.isOpen(letter.number)) {
      unit.touch(this);
      this.book.finish(letter, key);
      if (letter.isParked) {
        this.count(key, -1);
      }
    }
  }

  collect(): { readonly store: string; readonly puts: [string, string][]; readonly deletes: string[] } {
    return { store: this.letters().store, ...this.book.changes() };
  }

  private isOwn(letter: LetterRef | null): letter is LetterRef {
    return letter !== null && letter.node === this.target.name;
  }

  /** Throws when the policy's own function fails: that failure stops the task, as one of the operator would. */
  private ask(cause: unknown, record: CurrentRecord): FailureDecision {
    const { onError, mayPark } = this.target.policy;
    let decision: unknown = onError;
    if (typeof onError === "function") {
      try {
        decision = onError(cause, record);
      } catch (thrown) {
        throw this.failure(thrown, record);
      }
    }
    if (!isDecision(decision) || (decision === "park" && !mayPark)) {
      const why =
        decision === "park"
          ? "not possible here: it needs lanes by key, and a topic with a key"
          : 'none of "fail", "quarantine", "skip", "deadLetter" and "park"';
      throw this.failure(
        new MillraceError("HandlerError", `onError answered ${quote(decision)}: that is ${why}`),
        record,
      );
    }
    return decision;
  }

  private park(record: CurrentRecord): void {
    if (!this.decided.has(record.key) && this.decided.size >= MAX_PARKED_KEYS) {
      const text = `${MAX_PARKED_KEYS} keys are parked at "${this.target.name}" already: redrive or discard their dead letters`;
      throw this.failure(new MillraceError("ParkedKeysLimit", text), record);
    }
    this.count(record.key, 1);
  }

  private write(value: Any, how: Writing): void {
    const { record, unit } = scope;
    const { ref, clock, emit } = this.options;
    const input = this.encode(value, record);
    const { topic } = this.letters();
    unit.touch(this);
    const number = this.book.add(how.isParked ? record.key : null);
    const { name: node } = this.target;
    const about = {
      group: ref.group,
      node,
      number,
      isBehind: how.error === null,
      record,
      failedAt: clock.now(),
      input,
    };
    unit.output(topic, encodeLetter({ ...about, ...how }), ref.partition);
    const letter = letterId(node, ref.partition, number);
    const { isParked } = how;
    const error = how.error?.cause ?? null;
    emit({ _tag: "DeadLettered", task: this.task, node, id: record.id, letter, isParked, error });
  }

  private encode(value: unknown, record: CurrentRecord): string {
    const encoded = this.target.codec.encode(value);
    if (E.isLeft(encoded)) {
      const issues = encoded.left.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
      const text = `its input cannot be written as a dead letter (${issues.slice(0, 5).join("; ")}): give the operator { deadLetters: { codec } }`;
      throw this.failure(new MillraceError("EncodeError", text), record);
    }
    return encoded.right;
  }

  private letters(): NonNullable<FailureTarget["letters"]> {
    if (this.target.letters === null) {
      throw new MillraceError("InvalidPipeline", `operator "${this.target.name}" has no dead-letter topic`);
    }
    return this.target.letters;
  }

  private failure(cause: unknown, record: CurrentRecord): HandlerError {
    return cause instanceof HandlerError
      ? cause
      : new HandlerError(
          this.target.label,
          placeOf(record),
          cause,
          letterOf(record),
          record.offset === "" && record.id !== "" ? record.id : null,
        );
  }

  private count(key: string, change: number): void {
    const count = (this.decided.get(key) ?? 0) + change;
    if (count > 0) {
      this.decided.set(key, count);
    } else {
      this.decided.delete(key);
    }
  }
}

function letterOf({ letter }: CurrentRecord): string | null {
  return letter === null ? null : letter.id;
}

/** Results of windows have no place in the log. */
function placeOf(record: CurrentRecord): CurrentRecord | null {
  return record.offset === "" ? null : record;
}
