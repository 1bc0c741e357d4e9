import { defineConfig } from "vitest/config";

// Workspace packages resolve to their sources, so that no test needs, or can see, a stale build.
const conditions = ["@millrace/source", "node", "import", "module", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "tests/**/*.test.ts"],
    // `.ci/run` counts from the JSON report; people read the default one.
    reporters: ["default", ["json", { outputFile: "node_modules/.cache/test-report.json" }]],
  },
});
