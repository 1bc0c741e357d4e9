import { sink, stream } from "@millrace/core";
import { expect, it, vi } from "vitest";
import { bench, items, rejection, sequence } from "./support/bench-top.ts";

it("a pipeline of another copy of core is refused: what it writes would be lost without a word", async () => {
  vi.resetModules();
  const other = await import("@millrace/core");
  const [source, out] = [items("source"), items("out")];
  const foreign = other.pipeline("copy", other.stream(source).pipe(other.sink(out)));
  const top = bench();
  expect(await rejection(top.settle(top.app().run(foreign)))).toMatchObject({
    _tag: "InvalidPipeline",
    message: expect.stringContaining("npm ls @millrace/core"),
  });
  expect(other.stream).not.toBe(stream);
  expect(other.sink).not.toBe(sink);
  await top.send(source, sequence(1));
  expect(await top.read(out)).toEqual([]);
});
