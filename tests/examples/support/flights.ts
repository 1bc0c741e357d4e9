/** Runs `examples/01-flights` as its users do: built, in processes of its own. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expectedLines, type PlainFlight } from "./reduction.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const EXAMPLE = join(ROOT, "examples/01-flights");

/** How long a whole run may take on a machine that is busy with something else. */
export const RUN_TIMEOUT_MS = 120_000;

/** Compiles the example and what it uses. Does next to nothing where that has been done. */
export async function buildExample(): Promise<void> {
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "-b", EXAMPLE], { cwd: ROOT });
}

/** A run of the example. Disposing of it kills what is still there. */
export interface Run extends AsyncDisposable {
  stdout(): string;
  stderr(): string;
  /** Resolves at the end of the process. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  isRunning(): boolean;
  kill(signal: NodeJS.Signals): void;
}

/** Starts the example. */
export function start(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [join(EXAMPLE, "dist/main.js"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout = textOf(child.stdout);
  const stderr = textOf(child.stderr);
  const ended = once(child, "close").then(() => ({ code: child.exitCode, signal: child.signalCode }));
  return {
    stdout,
    stderr,
    ended,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function textOf(stream: NonNullable<ChildProcess["stdout"]>): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** What a run that has ended left. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the example to its end. */
export async function run(...args: readonly string[]): Promise<Ended> {
  await using process = start(...args);
  const { code } = await process.ended;
  return { code, stdout: process.stdout(), stderr: process.stderr() };
}

/** The output of a run, which must succeed. */
export async function outputOf(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  if (code !== 0) {
    throw new Error(`flights ${args.join(" ")} ended with ${code}: ${stderr}`);
  }
  return stdout;
}

/** Waits until `condition` holds. Rejects when that takes longer than a whole run may. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + RUN_TIMEOUT_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) {
      throw new Error(`waited in vain until ${what}`);
    }
    await pause(5);
  }
}

/** The flights of the small data file, read here and not by the example. */
function smallFile(): readonly PlainFlight[] {
  const rows = JSON.parse(readFileSync(dataFile("flights-20k.json"), "utf8")) as {
    readonly date: string;
    readonly delay: number;
    readonly origin: string;
  }[];
  return rows.map(({ date, delay, origin }) => {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = date.split(/\D/).map(Number);
    return { origin, delay, at: Date.UTC(year, month - 1, day, hour, minute) };
  });
}

let small: string | undefined;

/** The output that `--json` must print for the small data file. */
export function expectedSmall(): string {
  small ??= expectedLines(smallFile());
  return small;
}

function dataFile(name: string): string {
  const example = createRequire(join(EXAMPLE, "package.json"));
  return join(example.resolve("vega-datasets"), "../../data", name);
}
