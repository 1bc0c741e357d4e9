// One vitest that stays, run by runner.mjs: what it has loaded once it need not load again, but for the module that changes.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createVitest } from "vitest/node";
import { PROOF_VARIABLE, WITHOUT_VARIABLE } from "./plugin.mjs";
import { reportOf } from "./report.mjs";

/** @typedef {import("./runner.mjs").Job} Job */

const [, , root = "", proofPath = ""] = process.argv;

// Random tests draw the same numbers in every run of the gate.
process.env["MILLRACE_SEED"] ??= "1";
process.env[PROOF_VARIABLE] = proofPath;

/** A test that is slow because the machine is busy is none that hangs. */
const TIMEOUT_MS = 20_000;

const vitest = await createVitest("test", {
  root,
  watch: false,
  maxWorkers: 1,
  testTimeout: TIMEOUT_MS,
  hookTimeout: TIMEOUT_MS,
  reporters: [{}],
});

/** @param {Job} job */
async function run({ tests, without }) {
  process.env[WITHOUT_VARIABLE] = without?.name ?? "";
  rmSync(proofPath, { force: true });
  const changed = without === null ? null : join(root, without.file);
  if (changed !== null) {
    vitest.invalidateFile(changed);
  }
  try {
    const specifications = tests.flatMap(({ file, only }) => {
      const path = join(root, file);
      const project = vitest.projects.find((each) => each.matchesTestGlob(path));
      const options = only === null ? {} : { testNamePattern: new RegExp(only) };
      return project === undefined ? [] : [project.createSpecification(path, options)];
    });
    const { testModules } = await vitest.runTestSpecifications(specifications);
    const paths = new Set(specifications.map(({ moduleId }) => moduleId));
    const files = testModules.filter(({ moduleId }) => paths.has(moduleId)).map(reportOf);
    return { report: { files }, isLoaded: existsSync(proofPath) };
  } finally {
    if (changed !== null) {
      vitest.invalidateFile(changed);
    }
  }
}

process.on("message", (job) => {
  run(/** @type {Job} */ (job)).then(
    (result) => process.send?.(result),
    (error) => {
      process.stderr.write(`${error}\n`);
      process.exit(1);
    },
  );
});
process.once("disconnect", () => process.exit());
process.send?.("ready");
