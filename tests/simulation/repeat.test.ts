import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { digestOf } from "../../simulation/src/digest.ts";
import { run } from "../../simulation/src/run.ts";
import { scenarioOf } from "../../simulation/src/scenario.ts";

const SEEDS = Array.from({ length: 60 }, (_, n) => 900_001 + n);

async function digest(seed: number): Promise<string> {
  return digestOf(await run(scenarioOf(seed)));
}

it("the same seed gives the same history, whatever ran before", async () => {
  const forwards: string[] = [];
  for (const seed of SEEDS) {
    forwards.push(await digest(seed));
  }
  const backwards: string[] = [];
  for (const seed of SEEDS.toReversed()) {
    backwards.unshift(await digest(seed));
  }
  expect(backwards).toEqual(forwards);
  expect(new Set(forwards).size).toBe(SEEDS.length);
}, 60_000);

it("another process, in threads, another time zone and another language, sees the same", async () => {
  const main = fileURLToPath(new URL("../../simulation/dist/main.js", import.meta.url));
  const args = [main, "--schedules", String(SEEDS.length), "--seed", String(SEEDS[0]), "--threads", "2", "--digests"];
  const env = { ...process.env, TZ: "Pacific/Chatham", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const there = stdout.split("\n").filter((line) => /^\d+ [0-9a-f]{64}$/.test(line));
  const here: string[] = [];
  for (const seed of SEEDS) {
    here.push(`${seed} ${await digest(seed)}`);
  }
  expect(there).toEqual(here);
}, 120_000);
