import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { copyUnderFaults } from "./simulation-guide.ts";

it("the program in docs/guides/simulation.md is the one that is compiled and run here", async () => {
  const guide = await readFile(new URL("../../docs/guides/simulation.md", import.meta.url), "utf8");
  const program = await readFile(new URL("./simulation-guide.ts", import.meta.url), "utf8");
  expect(guide).toContain(`\`\`\`ts\n${program}\`\`\`\n`);
});

it("loses nothing, and does the same for the same seed", async () => {
  const all = Array.from({ length: 50 }, (_, n) => n);
  for (let seed = 1; seed <= 20; seed += 1) {
    const { numbers, tookMs } = await copyUnderFaults(seed);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(all);
    expect(await copyUnderFaults(seed)).toEqual({ numbers, tookMs });
  }
});
