/**
 * JSON text, strictly: a value is accepted only when decoding its text gives the same value back. `JSON.stringify` alone
 * turns NaN into null, drops functions, writes Map as `{}` and throws on cycles and BigInt.
 */
import * as E from "fp-ts/lib/Either.js";
import type { Issue } from "../errors.ts";
import { formatPath, kindOf } from "./schema.ts";

/** Deeper values are refused: at some thousand levels `JSON.stringify` overflows the stack. */
const MAX_DEPTH = 100;

/** The JSON text of a value, or where and why it has none. Properties that are `undefined` are left out. Never throws. */
export function stringify(value: unknown, isStrict = false): E.Either<readonly Issue[], string> {
  try {
    const issue = findIssue(value, { depth: 0, isStrict });
    return issue === null ? E.right(JSON.stringify(value)) : E.left([issue]);
  } catch (cause) {
    return E.left([
      { path: "", message: `reading the value threw ${cause instanceof Error ? cause.name : typeof cause}` },
    ]);
  }
}

/** Whether {@link stringify} leaves something out: a property that is `undefined`, at any depth. For values it accepts. */
export function dropsProperties(value: unknown): boolean {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  return Object.values(value).some((item) => item === undefined || dropsProperties(item));
}

/** The value in a JSON text, or that there is none. Never throws. */
export function parse(text: string): E.Either<readonly Issue[], unknown> {
  try {
    return E.right(JSON.parse(text));
  } catch {
    return E.left([{ path: "", message: "is not JSON" }]);
  }
}

/** Where in a value, and whether instances of classes are refused, too: nobody makes them again. */
interface Look {
  readonly depth: number;
  readonly isStrict: boolean;
}

function findIssue(value: unknown, look: Look): Issue | null {
  switch (typeof value) {
    case "string":
    case "boolean":
      return null;
    case "number":
      return Number.isFinite(value) ? null : refused(value);
    case "object":
      return value === null ? null : findIssueInside(value, look);
    case "undefined":
    case "bigint":
    case "function":
    case "symbol":
      return refused(value);
  }
}

function findIssueInside(value: object, look: Look): Issue | null {
  if (look.depth > MAX_DEPTH) {
    return { path: "", message: `is nested deeper than ${MAX_DEPTH} levels, or contains itself` };
  }
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return refused(value);
  }
  if (Array.isArray(value)) {
    return findIssueInArray(value, look);
  }
  if (!isPlain(value, look)) {
    return refused(value);
  }
  return findIssueInObject(value as Readonly<Record<string, unknown>>, look);
}

function findIssueInArray(value: readonly unknown[], { depth, isStrict }: Look): Issue | null {
  const inside = { depth: depth + 1, isStrict };
  for (let i = 0; i < value.length; i++) {
    const issue = findIssue(value[i], inside);
    if (issue !== null) {
      return below(String(i), issue);
    }
  }
  return null;
}

function findIssueInObject(value: Readonly<Record<string, unknown>>, { depth, isStrict }: Look): Issue | null {
  const inside = { depth: depth + 1, isStrict };
  const items = Object.values(value);
  for (let i = 0; i < items.length; i++) {
    const issue = items[i] === undefined ? null : findIssue(items[i], inside);
    if (issue !== null) {
      return below(Object.keys(value)[i] ?? "", issue);
    }
  }
  return null;
}

/** Whether the properties are all there is: not so for Map, Error, RegExp, ArrayBuffer, `new Number(1)`, … */
function isPlain(value: object, { isStrict }: Look): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (!isStrict && Object.prototype.toString.call(value) === "[object Object]")
  );
}

function refused(value: unknown): Issue {
  return { path: "", message: `${kindOf(value)} has no JSON form: convert it with the codec's encode` };
}

function below(key: string, issue: Issue): Issue {
  if (issue.path === "") {
    return { path: formatPath([key]), message: issue.message };
  }
  const joint = issue.path.startsWith("[") ? "" : ".";
  const path = `${formatPath([key])}${joint}${issue.path}`;
  return { path: path.length > 200 ? `${path.slice(0, 199)}…` : path, message: issue.message };
}
