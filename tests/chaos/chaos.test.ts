/** Runs `npm run chaos` as people do, short: real workers on a real Redis, with faults, and with a safeguard taken out. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeLine } from "@millrace/testing/history";
import { beforeAll, describe, expect, it } from "vitest";
import type { Summary } from "../../chaos/src/report.ts";
import { whyNoOwnRedis } from "../../packages/redis-adapter/test/support/redis-server.ts";
import { good, linesOf } from "./support/shared-history.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TIMEOUT_MS = 150_000;
/** Told to end, it takes everything with it that it has started. */
const END_AFTER_MS = 130_000;
const FAULTS = 22;
const SEED = process.env["MILLRACE_SEED"] ?? String(Math.floor(Math.random() * 2 ** 31));
/** About half a minute of faults each. */
const SHORT = ["--minutes", "1", "--no-durable", "--seed", SEED, "--json"];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function chaos(...args: readonly string[]): Promise<Ended> {
  const run = promisify(execFile);
  try {
    const output = await run(process.execPath, ["chaos/dist/main.js", ...args], { cwd: ROOT, timeout: END_AFTER_MS });
    return { code: 0, ...output };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

/** The figures of a run of one round. Throws what it said, where there are none. */
function summaryOf({ stdout, stderr }: Ended): Summary {
  if (stdout === "") {
    throw new Error(stderr);
  }
  const [summary] = JSON.parse(stdout) as readonly [Summary];
  return summary;
}

function numberIn(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, number) => sum + number, 0);
}

describe("many workers on a real Redis", () => {
  beforeAll(async () => {
    process.stderr.write(`chaos: MILLRACE_SEED=${SEED}\n`);
    await promisify(execFile)(process.execPath, ["node_modules/typescript/bin/tsc", "-b", "chaos"], { cwd: ROOT });
  }, TIMEOUT_MS);

  it(`keep every promise through ${FAULTS} random faults (G1 to G4, H8)`, {
    timeout: TIMEOUT_MS,
  }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const ended = await chaos(...SHORT, "--gap", "900ms", "--faults", String(FAULTS));
    const summary = summaryOf(ended);
    if (ended.code !== 0) {
      process.stderr.write(ended.stderr);
    }
    expect(summary.violations).toEqual({});
    expect(ended.code).toBe(0);
    expect(numberIn(summary.faults)).toBeGreaterThanOrEqual(20);
    expect(summary.output).toBe(summary.produced);
    // Tasks did change hands: there are far more stays than tasks.
    expect(summary.stays).toBeGreaterThan(32);
  });

  it("are found out without the nonce check: commits of fenced owners are accepted", {
    timeout: TIMEOUT_MS,
  }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const ended = await chaos(...SHORT, "--without", "nonce", "--gap", "700ms", "--faults", "16");
    expect(numberIn(summaryOf(ended).violations)).toBeGreaterThan(0);
    expect(ended.code).toBe(1);
  });

  it("are found out without the sequence check: a commit whose reply was lost is applied twice", {
    timeout: TIMEOUT_MS,
  }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const ended = await chaos(...SHORT, "--without", "sequence", "--gap", "500ms", "--faults", "12");
    expect(summaryOf(ended).violations["I2"]).toBeGreaterThan(0);
    expect(ended.code).toBe(1);
  });
});

describe("the command line of chaos", () => {
  it.each([
    [["--minutes", "0"], "It must be a number from 0.05"],
    [["--without", "luck"], "Allowed choices are nonce, sequence"],
    [["--workers", "1"], "It must be a whole number from 2 to 5"],
    [["--session", "soon"], "It must be a duration"],
    [["--frobnicate"], "unknown option"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await chaos(...args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it("prints its options", async () => {
    const { code, stdout } = await chaos("--help");
    expect(stdout).toContain("--minutes <n>");
    expect(code).toBe(0);
  });

  it.each([
    ["is right", good, 0, "0 violations"],
    ["is not", { ...good, output: good.output.slice(1) }, 1, "what it leads to is in output 0 times, not 1"],
  ])("checks a history that %s, again", async (_name, contents, code, message) => {
    const dir = await mkdtemp(join(tmpdir(), "millrace-chaos-test-"));
    try {
      const file = join(dir, "history.jsonl");
      const text = linesOf(contents).map((line) => `${writeLine(line, { values: "text" })}\n`);
      await writeFile(file, text.join(""));
      const ended = await chaos("--check", file);
      expect(ended.stdout).toContain(message);
      expect(ended.code).toBe(code);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
