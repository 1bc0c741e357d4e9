/** What a diagram is run with, looked at before it runs: programs in JavaScript have nobody else who tells them. */
import type { Pipeline } from "@millrace/core";
import { kindOf, optionProblem } from "../driver/option-names.ts";
import { listOf } from "../driver/plan.ts";
import { TestDriverError } from "../driver/test-driver-error.ts";
import { MarbleError } from "./marble-error.ts";

/** Throws `InvalidMarbles` for what is no text. */
export function checkDiagram(diagram: unknown): void {
  refuse(typeof diagram === "string" ? null : `a diagram is text, not ${kindOf(diagram)}`);
}

/** Throws `InvalidMarbles` for options that there are not, and for what is none of the things that marbles are made of. */
export function checkOptions(given: unknown, known: readonly string[]): void {
  refuse(optionProblem(given, known));
  const options = given as Readonly<Record<string, unknown>>;
  refuse(
    options["in"] === undefined
      ? "which topic are the records of? Give in: marblesOf(topic, …)"
      : topicsProblem("in", options["in"]),
  );
  refuse(topicsProblem("out", options["out"] ?? []));
  const { effects, clock, owners = "reached" } = options;
  refuse(
    effects === undefined || has(effects, ["record", "begin", "end"])
      ? null
      : "effects must be made by effectMarbles(…), and is no such recorder",
  );
  refuse(
    clock === undefined || has(clock, ["now", "after", "advance", "untilNext"])
      ? null
      : "clock must be made by createVirtualClock(), and is no such clock",
  );
  refuse(
    owners === "reached" || owners === "asked"
      ? null
      : `owners is "reached" or "asked", not ${JSON.stringify(owners) ?? kindOf(owners)}`,
  );
}

/** One pipeline or several, as a list. Throws `InvalidMarbles` for anything else, and for none. */
export function pipelinesOf(pipelines: Pipeline | readonly Pipeline[]): readonly Pipeline[] {
  try {
    return listOf("runMarbles", pipelines);
  } catch (error) {
    throw error instanceof TestDriverError ? new MarbleError("InvalidMarbles", error.message) : error;
  }
}

function topicsProblem(name: string, topics: unknown): string | null {
  const list: readonly unknown[] = Array.isArray(topics) ? topics : [topics];
  return list.every((topic) => has(topic, ["keyOf", "open", "read"]))
    ? null
    : `${name} must be made by marblesOf(topic, …) or marblesBy(topic, …), or be a list of such`;
}

function has(value: unknown, methods: readonly string[]): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    methods.every((name) => typeof Reflect.get(value, name) === "function")
  );
}

function refuse(problem: string | null): void {
  if (problem !== null) {
    throw new MarbleError("InvalidMarbles", `runMarbles: ${problem}`);
  }
}
