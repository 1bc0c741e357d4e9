/** What tasks are asked through their control topic, and what they answer. */
import * as E from "fp-ts/lib/Either.js";
import { parse } from "../codec/plain-json.ts";
import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import type { FoundLetter } from "./letter.ts";

/** Which dead letters. What is said of several things must be true of all of them. */
export interface LetterSelection {
  /** These letters. */
  readonly ids?: readonly string[];
  /** Those whose record has this key. */
  readonly key?: string;
  /** Those of this operator, by its stable name. */
  readonly node?: string;
  /** Those that failed at this time or later, ms since the Unix epoch. A finite number, as is `to`. */
  readonly from?: number;
  /** Those that failed before this time, ms since the Unix epoch. */
  readonly to?: number;
}

/** What a task is asked. */
export type Command =
  | {
      readonly id: string;
      readonly action: "redrive" | "discard";
      readonly select: LetterSelection;
      /** No more letters than this, in each task; `null`: all. */
      readonly most: number | null;
    }
  | { readonly id: string; readonly action: "resume" };

/** What a task says when it has done what it was asked. */
export interface Answer {
  /** How many letters are done with. */
  readonly done: number;
  /** How many were to be redriven and stay: they failed again, or wait for one of their parked key that did. */
  readonly remaining: number;
  /** How many stay because an earlier letter of their parked key was not selected. */
  readonly waiting: number;
  /** Whether the task was quarantined, and is no more. */
  readonly resumed: boolean;
}

const isText = (value: unknown): boolean => typeof value === "string";

/** What each part of a selection must be, and how to say so. */
const PARTS: ReadonlyMap<string, readonly [is: (value: unknown) => boolean, must: string]> = new Map<
  keyof LetterSelection,
  readonly [is: (value: unknown) => boolean, must: string]
>([
  ["ids", [(value) => Array.isArray(value) && value.every(isText), "a list of ids"]],
  ["key", [isText, "a string"]],
  ["node", [isText, "a string"]],
  ["from", [Number.isFinite, "a time in ms since the Unix epoch"]],
  ["to", [Number.isFinite, "a time in ms since the Unix epoch"]],
]);

/**
 * What was said of letters, without what was left out. Throws `InvalidOption` for what is no part of a selection, too: a name
 * that is spelled wrong must not select all letters. `what`: begins the message.
 */
export function checkSelection(what: string, said: object): LetterSelection {
  const parts = Object.entries(said).filter(([, value]) => value !== undefined);
  for (const [name, value] of parts) {
    const part = PARTS.get(name);
    if (part === undefined) {
      throw new MillraceError("InvalidOption", `${what}: there is no option ${quote(name)}`);
    }
    const [is, must] = part;
    if (!is(value)) {
      const found = typeof value === "number" ? String(value) : kindOf(value);
      throw new MillraceError("InvalidOption", `${what}: ${name} must be ${must}, not ${found}`);
    }
  }
  return Object.fromEntries(parts);
}

/** Whether a letter is among those that were selected. */
export function isSelected({ letter }: FoundLetter, { ids, key, node, from, to }: LetterSelection): boolean {
  return (
    (ids === undefined || ids.includes(letter.id)) &&
    (key === undefined || letter.key === key) &&
    (node === undefined || letter.node === node) &&
    (from === undefined || letter.failedAt >= from) &&
    (to === undefined || letter.failedAt < to)
  );
}

export function encodeCommand(command: Command): string {
  return JSON.stringify(command);
}

/** `null` for what is no command. */
export function decodeCommand(text: string): Command | null {
  const parsed = parse(text);
  if (E.isLeft(parsed) || typeof parsed.right !== "object" || parsed.right === null) {
    return null;
  }
  const { id, action, select, most } = parsed.right as Partial<Record<"id" | "action" | "select" | "most", unknown>>;
  if (typeof id !== "string") {
    return null;
  }
  if (action === "resume") {
    return { id, action };
  }
  const isKnown = (action === "redrive" || action === "discard") && typeof select === "object" && select !== null;
  const mostIsKnown = most === null || most === undefined || (typeof most === "number" && most >= 1);
  if (!isKnown || !mostIsKnown) {
    return null;
  }
  try {
    return { id, action, select: checkSelection(action, select), most: most ?? null };
  } catch {
    // Of a newer version, perhaps: what it selects by is not known here, and all letters would be too many.
    return null;
  }
}
