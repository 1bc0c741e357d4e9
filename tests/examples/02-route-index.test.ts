/** `examples/02-route-index`, as its users run it: built, in a process of its own, killed at random moments. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type RedisServer,
  startRedis,
  uniqueNamespace,
} from "../../packages/redis-adapter/test/support/redis-server.ts";
import { RUN_TIMEOUT_MS, until } from "./support/flights.ts";
import { generator, seed } from "./support/random.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const EXAMPLE = join(ROOT, "examples/02-route-index");
const MAIN = join(EXAMPLE, "dist/main.js");
const requireThere = createRequire(join(EXAMPLE, "package.json"));

const FLIGHTS = 20_000;
/** So slow that kills hit the work. */
const PACE = ["--rate", "8000"];

const random = generator(seed);
let dir: string;
let files = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "millrace-test-route-index-"));
  process.stderr.write(`kill -9 of the route index: MILLRACE_SEED=${seed}\n`);
  await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", EXAMPLE]);
}, RUN_TIMEOUT_MS);

afterAll(() => rm(dir, { recursive: true, force: true }));

interface Document {
  readonly route: string;
  readonly title: string;
  readonly body: string;
  readonly version: number;
}

interface Totals {
  readonly documents: number;
  readonly applied: number;
  readonly ignored: number;
  readonly batches: number;
}

/** The last flight of each route, read here and not by the example; its number is its line. */
function lastFlights(): readonly Pick<Document, "route" | "version">[] {
  const file = join(requireThere.resolve("vega-datasets"), "../../data/flights-20k.json");
  const all = JSON.parse(readFileSync(file, "utf8")) as { readonly origin: string; readonly destination: string }[];
  expect(all).toHaveLength(FLIGHTS);
  const last = new Map(all.map(({ origin, destination }, index) => [`${origin}-${destination}`, index + 1]));
  return [...last].map(([route, version]) => ({ route, version })).toSorted((a, b) => (a.route < b.route ? -1 : 1));
}

function freshFile(): string {
  files += 1;
  return join(dir, `${files}.db`);
}

/** Runs the example to its end. */
async function run(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  await once(child, "close");
  return { code: child.exitCode, stdout: stdout(), stderr: stderr() };
}

function textOf(stream: NonNullable<ChildProcess["stdout"]>): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** Runs the example to its end, which must be a good one, and reads what it says. */
async function results(...args: readonly string[]): Promise<{ documents: readonly Document[]; totals: Totals }> {
  const { code, stdout, stderr } = await run("--json", ...args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly type: string });
  const totals = lines.pop() as unknown as Totals;
  return { documents: lines as unknown as readonly Document[], totals };
}

/** How many flights an index has taken, asked of the file itself. */
function appliedIn(file: string): number {
  if (!existsSync(file)) {
    return 0;
  }
  const Database = requireThere("libsql") as new (
    path: string,
    options: { readonly timeout: number },
  ) => { prepare(sql: string): { get(): unknown }; close(): void };
  const database = new Database(file, { timeout: 5_000 });
  try {
    const isThere = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'totals'").get() !== undefined;
    const row = isThere ? database.prepare("SELECT applied FROM totals").get() : undefined;
    return (row as { readonly applied: number } | undefined)?.applied ?? 0;
  } finally {
    database.close();
  }
}

/** Starts the example and kills it when its index has taken so many flights; returns how many it then has. */
async function killedAt(applied: number, file: string, ...args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [MAIN, "--file", file, ...PACE, ...args], { stdio: "ignore" });
  const closed = once(child, "close");
  try {
    await until("the index has come so far", () => child.exitCode !== null || appliedIn(file) >= applied);
  } finally {
    child.kill("SIGKILL");
  }
  await closed;
  expect(child.signalCode).toBe("SIGKILL");
  const left = appliedIn(file);
  expect(left).toBeLessThan(FLIGHTS);
  return left;
}

function expectLast(documents: readonly Document[]): void {
  expect(documents.map(({ route, version }) => ({ route, version }))).toEqual(lastFlights());
}

describe("the route index in memory", { timeout: RUN_TIMEOUT_MS }, () => {
  it("holds each route as of its last flight; every flight was applied, so those of a route came in order", async () => {
    const { documents, totals } = await results("--file", freshFile());
    expectLast(documents);
    expect(totals).toMatchObject({ documents: documents.length, applied: FLIGHTS, ignored: 0 });
    expect(totals.batches).toBeLessThan(FLIGHTS / 20);
    expect(documents.find(({ route }) => route === "SNA-LAX")).toMatchObject({
      title: "Santa Ana, CA to Los Angeles, CA",
      body: "36 miles; last flight 2001/03/31 20:16, 15 min early",
    });
  });

  it("shows what it finds, and finds words of the last version only", async () => {
    const file = freshFile();
    const { stdout } = await run("--file", file, "--search", "honolulu late");
    expect(stdout).toMatch(/HNL/);
    expect(stdout).toMatch(/2,977 documents after 20,000 flights; \d+ transactions, \d+\.\d s\n$/);
    const rows = stdout.split("\n").filter((line) => / [A-Z]{3}-[A-Z]{3} /.test(line));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter((line) => !/late/.test(line))).toEqual([]);
  });

  it("is the same after kill -9 in the middle, although everything comes again", async () => {
    const file = freshFile();
    const before = await killedAt(5_000, file);
    const { documents, totals } = await results("--file", file);
    expectLast(documents);
    expect(totals).toMatchObject({ applied: FLIGHTS, ignored: before });
  });
});

describe("the route index on Redis", { timeout: 4 * RUN_TIMEOUT_MS }, () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedis();
  }, RUN_TIMEOUT_MS);

  afterAll(() => redis.stop());

  it("is the same after kill -9 at four random moments; only what was not committed comes again", async () => {
    const file = freshFile();
    const args = ["--redis", redis.url, "--namespace", uniqueNamespace()];
    let sum = 0;
    for (const part of [0, 1, 2, 3]) {
      sum += await killedAt(Math.ceil((FLIGHTS / 5) * (part + random())), file, ...args);
    }
    const { documents, totals } = await results("--file", file, ...args);
    expectLast(documents);
    expect(totals.applied).toBe(FLIGHTS);
    process.stderr.write(`${totals.ignored} flights came again\n`);
    // Had every start begun at the beginning, it would be all of them.
    expect(totals.ignored).toBeLessThan(sum / 2);

    const again = await results("--file", file, ...args);
    expect(again).toEqual({ documents, totals });
  });
});

describe("the route index refuses", { timeout: RUN_TIMEOUT_MS }, () => {
  const url = "redis://:secret@127.0.0.1:1";

  it.each([
    [["--redis", url], "--redis needs --file"],
    [["--redis", "127.0.0.1:6379", "--file", "x"], "--redis"],
    [["--namespace", "a"], "--namespace needs --redis"],
    [["--rate", "0"], "--rate"],
    [["--rate", "fast"], "--rate"],
    [["--search", 'a" OR b'], "--search"],
    [["--nonsense"], "--nonsense"],
    [["surplus"], "surplus"],
  ])("%j in one line, with exit code 2", async (args, named) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain("secret");
  });
});
