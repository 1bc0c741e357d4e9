// The mutation gate: takes every safeguard out in turn, and sees whether a test notices.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StaleError, without } from "./safeguard.mjs";
import { baselineProblem, verdictOf } from "./verdict.mjs";

/**
 * @typedef {import("./safeguard.mjs").Safeguard} Safeguard
 * @typedef {import("./runner.mjs").Runner} Runner
 * @typedef {{ readonly safeguard: Safeguard, readonly by: string | null, readonly problem: string | null, readonly tookMs: number }} Finding
 */

/**
 * What is wrong with the entries themselves: stale texts, test files that do not exist, names that occur twice.
 *
 * @param {readonly Safeguard[]} safeguards
 * @param {string} root
 * @returns {readonly string[]}
 */
export function staleEntries(safeguards, root) {
  const names = safeguards.map(({ name }) => name);
  const twice = names.filter((name, at) => names.indexOf(name) !== at).map((name) => `${name} is there twice`);
  return [...twice, ...safeguards.flatMap((safeguard) => problemsOf(safeguard, root))];
}

/**
 * Runs the tests of each safeguard without it, then once with all of them in place. Findings are told in the order of the list, as
 * soon as they are known. Resolves with why tests do not pass as they are; `null`: they do.
 *
 * @param {readonly Safeguard[]} safeguards
 * @param {{ readonly runners: readonly Runner[], readonly found: (finding: Finding) => void }} how
 * @returns {Promise<string | null>}
 */
export async function judge(safeguards, { runners, found }) {
  /** @type {(Finding | undefined)[]} */
  const findings = [];
  let told = 0;
  /** @type {string | null} */
  let problem = null;
  /** @type {((runner: Runner) => Promise<void>)[]} */
  const jobs = safeguards.map((safeguard, at) => async (runner) => {
    findings[at] = await judgeOne(safeguard, runner);
    for (let next = findings[told]; next !== undefined; next = findings[told]) {
      found(next);
      told += 1;
    }
  });
  for (const tests of testsOf(safeguards)) {
    jobs.push(async (runner) => {
      const { report } = await runner.run({ tests: [tests], without: null });
      problem ??= baselineProblem(report, [tests.file]);
    });
  }
  await Promise.all(
    runners.map(async (runner) => {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
        await job(runner);
      }
    }),
  );
  return problem;
}

/** @param {Safeguard} safeguard @param {Runner} runner @returns {Promise<Finding>} */
async function judgeOne(safeguard, runner) {
  const { name, file, tests, only = null } = safeguard;
  const startedMs = performance.now();
  const run = await runner.run({ tests: tests.map((test) => ({ file: test, only })), without: { name, file } });
  const verdict = verdictOf({ ...run, tests });
  const tookMs = performance.now() - startedMs;
  return "by" in verdict
    ? { safeguard, by: verdict.by, problem: null, tookMs }
    : { safeguard, by: null, problem: verdict.problem, tookMs };
}

/**
 * The tests of all safeguards, file by file.
 *
 * @param {readonly Safeguard[]} safeguards
 * @returns {readonly import("./runner.mjs").TestsOfFile[]}
 */
function testsOf(safeguards) {
  const files = [...new Set(safeguards.flatMap(({ tests }) => tests))];
  return files.map((file) => {
    const patterns = safeguards.filter((each) => each.tests.includes(file)).map(({ only = "" }) => only);
    return { file, only: patterns.includes("") ? null : patterns.map((each) => `(?:${each})`).join("|") };
  });
}

/** @param {Safeguard} safeguard @param {string} root */
function problemsOf(safeguard, root) {
  const { name, file, tests } = safeguard;
  const missing = [file, ...tests].filter((path) => !existsSync(join(root, path)));
  if (missing.length > 0) {
    return missing.map((path) => `${name} is stale: ${path} does not exist`);
  }
  try {
    without(readFileSync(join(root, file), "utf8"), safeguard);
    return [];
  } catch (error) {
    if (error instanceof StaleError) {
      return [error.message];
    }
    throw error;
  }
}
