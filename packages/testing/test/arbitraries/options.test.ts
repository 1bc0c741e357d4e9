/** Options that TypeScript refuses: JavaScript must hear of them, too. */
import { json, topic } from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import {
  arrivalsOf,
  diagramsOf,
  eventTimes,
  faultSchedules,
  hotKey,
  recordsOf,
  uniformKeys,
  zipfKeys,
} from "../../src/arbitraries.ts";

const Reading = t.type({ sensor: t.string, at: t.Int });
const readings = topic("readings", { codec: json(Reading), key: (r) => r.sensor, timestamp: (r) => r.at });
const faults = { workers: ["a", "b"], within: "1 minute" };
const diagrams = { letters: "ab", column: "100 ms", within: "1 s" };
const rare = { share: 0.5, most: "1 h" };

describe.each([
  ["recordsOf", (options: unknown) => recordsOf(readings, options as never), {}],
  ["arrivalsOf", (options: unknown) => arrivalsOf(readings, options as never), {}],
  ["recordsOf: count", (options: unknown) => recordsOf(readings, { count: options as never }), { min: 1 }],
  ["eventTimes", (options: unknown) => eventTimes(options as never), {}],
  ["eventTimes: late", (options: unknown) => eventTimes({ late: options as never }), rare],
  ["faultSchedules", (options: unknown) => faultSchedules(options as never), faults],
  ["diagramsOf", (options: unknown) => diagramsOf(options as never), diagrams],
  ["uniformKeys", (options: unknown) => uniformKeys(3, options as never), {}],
  ["zipfKeys", (options: unknown) => zipfKeys(3, options as never), {}],
  ["hotKey", (options: unknown) => hotKey(3, options as never), {}],
])("options of %s", (_name, make, right) => {
  it("are an object without other names", () => {
    expect(make(right)).toBeDefined();
    for (const wrong of [null, "text", 5, [], { ...right, key: 1 }]) {
      expect(() => make(wrong)).toThrow(expect.objectContaining({ _tag: "InvalidOption" }) as Error);
    }
  });
});

it("places without what they are drawn from, and others than fields, are refused", () => {
  for (const keys of [{ field: "sensor" }, { feild: "sensor", from: uniformKeys(2) }, "sensor", null]) {
    expect(() => recordsOf(readings, { keys: keys as never })).toThrow(
      expect.objectContaining({ _tag: "InvalidOption" }) as Error,
    );
  }
});

it("workers and letters of another kind are refused", () => {
  const invalid = expect.objectContaining({ _tag: "InvalidOption" }) as Error;
  expect(() => faultSchedules({ within: "1 minute" } as never)).toThrow(invalid);
  expect(() => diagramsOf({ ...diagrams, letters: undefined } as never)).toThrow(invalid);
});
