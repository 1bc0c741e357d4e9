import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { outcome, receipts } from "./fp-guide.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

it("the program in docs/guides/fp.md is the one that is compiled and run here", () => {
  const programs = [...read("../../docs/guides/fp.md").matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  expect(programs).toEqual([read("./fp-guide.ts")]);
});

it("the program does what the guide says", () => {
  expect(outcome).toBe("done");
  expect(receipts.toSorted()).toEqual(["receipt of o-1", "receipt of o-4"]);
});
