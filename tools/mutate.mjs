// Takes each safeguard out in turn and checks that some test notices: npm run mutate [-- name…] [--list]
// Exits 1 when one is not noticed, when an entry does not fit its source any more, and when its tests fail as they are.
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { judge, staleEntries } from "./mutate/gate.mjs";
import { Runner } from "./mutate/runner.mjs";
import { chosen, StaleError } from "./mutate/safeguard.mjs";
import { safeguards } from "./mutate/safeguards.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
/** So many run tests at a time. */
const runners = Array.from({ length: Math.min(2, availableParallelism()) }, () => new Runner(root));
const NAME_WIDTH = Math.max(...safeguards.map(({ name }) => name.length));

/** @param {readonly string[]} cells */
function row([name = "", keeps = "", ...rest]) {
  process.stdout.write(`${name.padEnd(NAME_WIDTH)}  ${keeps.padEnd(6)}  ${rest.join("  ")}\n`);
}

/** @param {readonly import("./mutate/safeguard.mjs").Safeguard[]} all */
async function check(all) {
  const stale = staleEntries(all, root);
  if (stale.length > 0) {
    throw new StaleError(stale.join("\n"));
  }
  row(["safeguard", "keeps", "     s", "noticed by"]);
  let unnoticed = 0;
  const startedMs = performance.now();
  const problem = await judge(all, {
    runners,
    found: ({ safeguard, by, problem: own, tookMs }) => {
      unnoticed += own === null ? 0 : 1;
      const seconds = (tookMs / 1_000).toFixed(1).padStart(6);
      row([safeguard.name, safeguard.keeps, seconds, by ?? `NOT NOTICED: ${own}. ${safeguard.without}`]);
    },
  });
  if (problem !== null) {
    process.stdout.write(`${problem}\n`);
  }
  const took = `${Math.round((performance.now() - startedMs) / 1_000)} s`;
  process.stdout.write(`${all.length - unnoticed} of ${all.length} safeguards are noticed (${took})\n`);
  process.exitCode = unnoticed > 0 || problem !== null ? 1 : 0;
}

process.once("exit", () => {
  for (const runner of runners) {
    runner.close();
  }
});
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.once(signal, () => process.exit(1));
}

try {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { list: { type: "boolean" } } });
  const all = chosen(safeguards, positionals);
  if (values.list === true) {
    for (const { name, keeps, without } of all) {
      row([name, keeps, without]);
    }
  } else {
    await check(all);
  }
} catch (error) {
  if (!(error instanceof StaleError)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
process.exit();
