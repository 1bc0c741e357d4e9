import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

it("the samples in docs/guides/testing.md, one behind the other, are the tests that are compiled and run beside this one", () => {
  const samples = [...read("../../docs/guides/testing.md").matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  expect(samples.join("\n")).toBe(read("./testing-guide-samples.test.ts"));
});
