import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { withoutSafeguard } from "./tools/mutate/plugin.mjs";
import { safeguards } from "./tools/mutate/safeguards.mjs";

// Workspace packages resolve to their sources, so that no test needs, or can see, a stale build.
const conditions = ["@millrace/source", "node", "import", "module", "default"];

// Judges how long work stands still, so nothing else may keep the machine busy.
const ALONE = ["tests/chaos/chaos.test.ts"];

export default defineConfig({
  // Changes nothing unless MILLRACE_WITHOUT names a safeguard, as npm run mutate does.
  plugins: [withoutSafeguard(safeguards, import.meta.url)],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Many tests wait for processes of their own. By default, vitest leaves one of two CPUs to nobody.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: "tests",
          include: ["packages/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "tests/**/*.test.ts"],
          exclude: ALONE,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "alone", include: ALONE, sequence: { groupOrder: 1 } } },
    ],
    // `.ci/run` counts from the JSON report; people read the default one.
    reporters: ["default", ["json", { outputFile: "node_modules/.cache/test-report.json" }]],
  },
});
