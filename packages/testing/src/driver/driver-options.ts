import { type Duration, isName, type Limits, type Pipeline, parseDuration, type RestartOptions } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { optionProblem } from "./option-names.ts";
import { listOf } from "./plan.ts";
import type { Extent } from "./settling.ts";
import type { SettleOptions, TestDriverOptions, WorkerOptions } from "./test-driver.ts";
import { TestDriverError } from "./test-driver-error.ts";

/** {@link TestDriverOptions}, checked and complete. */
export interface DriverSettings {
  readonly name: string;
  readonly partitions: number;
  readonly startMs: number;
  readonly sessionMs: number;
  readonly restart: RestartOptions;
  readonly limits: Limits;
  readonly withinMs: number;
  readonly realWithinMs: number;
}

/** 2024-01-01T00:00:00Z. */
const DEFAULT_START_MS = 1_704_067_200_000;
/** The last moment that a `Date` can hold. */
const LAST_MS = 8_640_000_000_000_000;
const MOST_PARTITIONS = 4_096;

const OPTIONS = [
  "partitions",
  "startMs",
  "session",
  "restart",
  "limits",
  "name",
  "within",
  "realWithin",
] satisfies (keyof TestDriverOptions)[];

/** Checks the options. Throws `InvalidOption`; what only the app can check it does when it starts. */
export function driverSettings(options: TestDriverOptions = {}): DriverSettings {
  checkOptions("test driver", options, OPTIONS);
  const { partitions = 4, startMs = DEFAULT_START_MS, name = "test", restart = { attempts: 0 }, limits = {} } = options;
  if (!isName(name)) {
    throw invalid(`name must be a name as topics have, not ${JSON.stringify(name)}`);
  }
  return {
    name,
    restart,
    limits,
    partitions: whole("partitions", partitions, { least: 1, most: MOST_PARTITIONS }),
    startMs: whole("startMs", startMs, { least: 0, most: LAST_MS }),
    sessionMs: milliseconds("session", options.session ?? "10 s"),
    withinMs: milliseconds("within", options.within ?? "10 minutes"),
    realWithinMs: milliseconds("realWithin", options.realWithin ?? "1 s"),
  };
}

/** A duration in ms. Throws `InvalidOption`. */
export function milliseconds(what: string, duration: Duration): number {
  const parsed = parseDuration(duration);
  if (E.isLeft(parsed)) {
    throw invalid(`${what}: ${parsed.left.message}`);
  }
  return parsed.right;
}

/** How far a call goes on. Throws `InvalidOption`. */
export function extentOf(call: string, options: SettleOptions = {}): Extent {
  checkOptions(call, options, ["time"]);
  const { time = "passes" } = options;
  if (time !== "passes" && time !== "stands") {
    throw new TestDriverError("InvalidOption", `${call}: time is "passes" or "stands", not ${JSON.stringify(time)}`);
  }
  return time;
}

/** The pipelines that a call gives a worker, `null`: none. Throws `InvalidOption` and `InvalidCall`. */
export function releaseOf(call: string, options: WorkerOptions): readonly Pipeline[] | null {
  checkOptions(call, options, ["pipelines"]);
  return options.pipelines === undefined ? null : listOf(call, options.pipelines);
}

function checkOptions(what: string, options: unknown, known: readonly string[]): void {
  const problem = optionProblem(options, known);
  if (problem !== null) {
    throw new TestDriverError("InvalidOption", `${what}: ${problem}`);
  }
}

function whole(
  what: string,
  number: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  if (!Number.isInteger(number) || number < least || number > most) {
    throw invalid(`${what} must be a whole number from ${least} to ${most}, not ${String(number)}`);
  }
  return number;
}

function invalid(text: string): TestDriverError {
  return new TestDriverError("InvalidOption", `test driver: ${text}`);
}
