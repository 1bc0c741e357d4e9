// What a run of tests says about a safeguard. Pure.

/**
 * @typedef {import("./report.mjs").RunReport} RunReport
 * @typedef {{ readonly by: string } | { readonly problem: string }} Verdict `by`: the test that noticed
 */

/** How a failure reads when code is broken rather than a promise: in JavaScript, and in a script of Redis. */
const BROKEN = new RegExp(
  [
    /\b(SyntaxError|ReferenceError|TypeError)\b/,
    /\bis not (defined|a function)\b|Cannot read properties of/,
    /Error compiling script|attempt to (call|index|compare|concatenate|perform)/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

/** How it reads where a test has waited in vain, which a busy machine can bring about, too. */
const TIMED_OUT = /\btimed out in \d+ms/;

/**
 * Whether a run without the safeguard has noticed.
 *
 * A file that could not be collected, a module that was not loaded and a failure of broken code notice nothing: tests that hold
 * no promise would fail by them, too. Nor does a test that waited for too long.
 *
 * @param {{ readonly report: RunReport | null, readonly tests: readonly string[], readonly isLoaded: boolean }} run
 * @returns {Verdict}
 */
export function verdictOf({ report, tests, isLoaded }) {
  if (report === null) {
    return { problem: "the run did not come to its end" };
  }
  const uncollected = uncollectedIn(report, tests);
  if (uncollected !== null) {
    return { problem: uncollected };
  }
  if (!isLoaded) {
    return { problem: "the tests do not load its source" };
  }
  const failed = testsIn(report).filter(({ state }) => state === "failed");
  const broken = failed.flatMap(({ errors }) => errors).find((error) => BROKEN.test(error));
  if (broken !== undefined) {
    return { problem: `only broken code: ${firstLine([broken])}` };
  }
  const noticed = failed.find(({ errors }) => errors.length > 0 && !errors.some((text) => TIMED_OUT.test(text)));
  if (noticed !== undefined) {
    return { by: noticed.name };
  }
  const [late] = failed;
  return { problem: late === undefined ? nothingFailed(report) : `only a test that did not end: ${late.name}` };
}

/**
 * Why the tests cannot judge safeguards, run with all of them: `null` where they pass.
 *
 * @param {RunReport | null} report
 * @param {readonly string[]} tests
 * @returns {string | null}
 */
export function baselineProblem(report, tests) {
  if (report === null) {
    return `with all safeguards in place, the run of ${tests.join(", ")} did not come to its end`;
  }
  const failed = testsIn(report).find(({ state }) => state === "failed");
  return (
    uncollectedIn(report, tests) ??
    (failed === undefined ? null : `fails with all safeguards in place: ${failed.name} (${firstLine(failed.errors)})`)
  );
}

/** @param {RunReport} report @param {readonly string[]} tests */
function uncollectedIn({ files }, tests) {
  for (const test of tests) {
    const found = files.find(({ file }) => file === test);
    if (found === undefined || found.tests.length === 0 || found.problems.length > 0) {
      return `${test} was not collected${found?.problems[0] === undefined ? "" : `: ${firstLine(found.problems)}`}`;
    }
  }
  return null;
}

/** @param {RunReport} report */
function nothingFailed(report) {
  const ran = testsIn(report).filter(({ state }) => state === "passed").length;
  return ran === 0 ? "no test of these ran" : `nobody notices (${ran} tests passed)`;
}

/** @param {RunReport} report */
function testsIn({ files }) {
  return files.flatMap(({ tests }) => tests);
}

/** @param {readonly string[]} texts */
function firstLine([text = ""]) {
  return text.split("\n")[0] ?? "";
}
