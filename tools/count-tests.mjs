// Prints "N passed, N failed[, N skipped]" from vitest's JSON report; exits 1 when anything failed or nothing ran.
import { existsSync, readFileSync } from "node:fs";

const path = process.argv[2] ?? "";
if (!existsSync(path)) {
  process.stderr.write(`no test report at ${path}: the tests did not run to their end\n`);
  process.exit(1);
}

/** @type {{ testResults: { status: string, assertionResults: { status: string }[] }[] }} */
const { testResults } = JSON.parse(readFileSync(path, "utf8"));

// Counted test by test: the report's own totals leave out tests that skip themselves while running.
const statuses = testResults.flatMap(({ assertionResults, status }) => {
  const tests = assertionResults.map((test) => test.status);
  // A file that does not load, or whose hooks fail, has no failed test of its own and still counts.
  return status === "failed" && !tests.includes("failed") ? [...tests, "failed"] : tests;
});
const passed = statuses.filter((status) => status === "passed").length;
const failed = statuses.filter((status) => status === "failed").length;
const skipped = statuses.length - passed - failed;

process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
