import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

it("the sample in docs/guides/adapters.md is the test file that is run, ten lines, with an adapter of one's own", () => {
  const samples = [...read("../../docs/guides/adapters.md").matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  const file = read("../../packages/testing/test/third-party.conformance.test.ts");
  expect(samples).toEqual([
    file.replace("./support/slow-adapter.ts", "./my-adapter.ts").replaceAll("slowAdapter", "myAdapter"),
  ]);
  expect(file.trimEnd().split("\n")).toHaveLength(10);
});
