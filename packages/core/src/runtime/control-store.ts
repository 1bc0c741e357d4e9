import * as E from "fp-ts/lib/Either.js";
import { parse } from "../codec/plain-json.ts";
import { BEFORE_FIRST, type Offset } from "../kernel/offset.ts";
import type { Answer } from "../topology/command.ts";
import { CONTROL_STORE } from "../topology/failure-target.ts";
import type { LetterError } from "../topology/letter.ts";
import type { DirtyStore } from "../topology/stage.ts";
import { Changes } from "./changes.ts";

/** Keys of the store. Answers come behind a colon. */
const HANDLED = "handled";
const NODES = "nodes";
const UNDER_WAY = "underWay";
const QUARANTINE = "quarantine";
const ANSWER = "answer:";

/** So many answers are kept for those who asked. */
const MAX_ANSWERS = 256;

/** A command that is being carried out, as of its beginning. */
export interface UnderWay {
  readonly command: string;
  /** How many letters each operator had written: later ones are not meant. */
  readonly written: Readonly<Record<string, number>>;
  /** How many letters were done with, over all operators. */
  readonly done: number;
}

/** Why a task is quarantined. */
export interface Quarantine {
  readonly message: string;
  /** What the operator has thrown, and what had caused that. */
  readonly errors: readonly LetterError[];
  readonly sinceMs: number;
}

/** What a task remembers of what it was asked. Changes belong to the unit in which {@link DirtyStore} was touched before. */
export class ControlStore implements DirtyStore {
  private handledThrough: Offset = BEFORE_FIRST;
  private current: UnderWay | null = null;
  private reason: Quarantine | null = null;
  private topicOfNode: Readonly<Record<string, string>> = {};
  private readonly given: string[] = [];
  private readonly changed = new Changes();

  constructor(entries: Iterable<readonly [key: string, value: string]>) {
    for (const [key, value] of entries) {
      if (key === HANDLED) {
        this.handledThrough = value as Offset;
      } else if (key === UNDER_WAY) {
        this.current = read(value) as UnderWay | null;
      } else if (key === QUARANTINE) {
        this.reason = read(value) as Quarantine | null;
      } else if (key === NODES) {
        this.topicOfNode = read(value) as Readonly<Record<string, string>>;
      } else if (key.startsWith(ANSWER)) {
        this.given.push(key);
      }
    }
  }

  /** Everything in the control topic up to this position is carried out. */
  get handled(): Offset {
    return this.handledThrough;
  }

  get underWay(): UnderWay | null {
    return this.current;
  }

  /** `null`: the task runs. */
  get quarantine(): Quarantine | null {
    return this.reason;
  }

  /** The operators that may have written letters, with the topic of each, also those of earlier versions of the pipeline. */
  get nodes(): Readonly<Record<string, string>> {
    return this.topicOfNode;
  }

  /** These operators write letters to these topics from now on. */
  addNodes(nodes: Readonly<Record<string, string>>): void {
    this.topicOfNode = { ...this.topicOfNode, ...nodes };
    this.changed.set(NODES, JSON.stringify(this.topicOfNode));
  }

  begin(underWay: UnderWay): void {
    this.current = underWay;
    this.changed.set(UNDER_WAY, JSON.stringify(underWay));
  }

  /** What lies at `at` is carried out; `answer` is for whoever asked. */
  finish(at: Offset, command: string | null, answer: Answer | null): void {
    this.handledThrough = at;
    this.changed.set(HANDLED, at);
    this.current = null;
    this.changed.set(UNDER_WAY, null);
    if (command !== null) {
      this.given.push(`${ANSWER}${command}`);
      this.changed.set(`${ANSWER}${command}`, JSON.stringify(answer));
    }
    while (this.given.length > MAX_ANSWERS) {
      this.changed.set(this.given.shift() ?? "", null);
    }
  }

  setQuarantine(reason: Quarantine | null): void {
    this.reason = reason;
    this.changed.set(QUARANTINE, reason === null ? null : JSON.stringify(reason));
  }

  collect(): { readonly store: string; readonly puts: [string, string][]; readonly deletes: string[] } {
    return { store: CONTROL_STORE, ...this.changed.take() };
  }
}

/** The answer to a command among the entries of a task's control store; `null` before there is one. */
export function answerIn(entries: Iterable<readonly [key: string, value: string]>, command: string): Answer | null {
  for (const [key, value] of entries) {
    if (key === `${ANSWER}${command}`) {
      return read(value) as Answer | null;
    }
  }
  return null;
}

/** Only tasks write here. */
function read(text: string): unknown {
  const parsed = parse(text);
  return E.isLeft(parsed) ? null : parsed.right;
}
