// Checks the imports of packages/*/src against .dependency-cruiser.mjs. First a canary: a made-up tree in which every
// layer imports every other one must be refused in exactly the right places. dependency-cruiser passes silently when it
// could read no module (a missing compiler is enough), and a rule with a wrong path matches nothing.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cruise } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";
import config, { layers } from "../.dependency-cruiser.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
process.chdir(root);

/**
 * @param {readonly string[]} directories
 * @param {string} baseDir
 */
async function violationsIn(directories, baseDir) {
  const { forbidden, options } = config;
  const { output } = await cruise(
    [...directories],
    { ...options, baseDir, validate: true, ruleSet: { forbidden } },
    undefined,
    { tsConfig: extractTSConfig(join(root, "tsconfig.base.json")) },
  );
  if (typeof output === "string") {
    throw new TypeError("dependency-cruiser answered with text");
  }
  return output.summary;
}

async function checkCanary() {
  const base = mkdtempSync(join(tmpdir(), "millrace-layers-"));
  try {
    /** @type {string[]} */
    const expected = [];
    const names = Object.keys(layers);
    for (const [layer, below] of Object.entries(layers)) {
      const others = names.filter((name) => name !== layer);
      const directory = join(base, "packages/core/src", layer);
      mkdirSync(directory, { recursive: true });
      const lines = others.map((other) => `import { ${other} } from "../${other}/file.ts"; ${other};`);
      writeFileSync(join(directory, "file.ts"), [...lines, `export const ${layer} = 1;`].join("\n"));
      expected.push(...others.filter((other) => !below.includes(other)).map((other) => `${layer} → ${other}`));
    }
    const { violations } = await violationsIn(["packages"], base);
    const found = violations
      .filter(({ rule }) => rule.name.endsWith("-imports-only-what-is-below"))
      .map(({ from, to }) => [from, to].map((path) => path.split("/").at(-2)).join(" → "));
    if (found.toSorted().join() !== expected.toSorted().join()) {
      throw new Error(
        `the canary should have been refused for\n${expected.join("\n")}\nbut was for\n${found.join("\n")}`,
      );
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

await checkCanary();
const { violations, totalCruised } = await violationsIn(["packages"], root);
for (const { rule, from, to } of violations) {
  process.stderr.write(`${rule.name}: ${from} → ${to}\n`);
}
process.stdout.write(`layers: ${totalCruised} modules, ${violations.length} violations\n`);
process.exitCode = violations.length > 0 ? 1 : 0;
