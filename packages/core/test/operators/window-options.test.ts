import {
  type Aggregates,
  aggregate,
  count,
  type Duration,
  deduplicate,
  every,
  fold,
  hopping,
  percentile,
  session,
  sliding,
  sum,
  tumbling,
  unlimited,
  type WindowSpec,
  window,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { BAD_NAMES } from "../support/bad-names.ts";
import type { Order } from "../support/topics.ts";

/** Declares a window as a program without types could. */
function declare(options: object, aggregates: object = { n: count() }): unknown {
  return window(tumbling("1 h"), aggregates as Aggregates<Order, { n: number }>, { grace: "0 s", ...options });
}

const invalid = (message: RegExp): Error =>
  expect.objectContaining({ _tag: "InvalidOption", message: expect.stringMatching(message) as string }) as Error;

/** As a program in JavaScript calls them: nobody checks the types. */
type Loose = (...args: readonly unknown[]) => unknown;

describe("a tumbling window is refused", () => {
  it("without a length", () => {
    for (const size of ["0 s", "0 ms", "0.0 d"] as const) {
      expect(() => tumbling(size)).toThrow(invalid(/^tumbling: size must be at least 1 ms, and whole, not "0/));
    }
  });

  it.each(["", "-1 s", "10", "1 fortnight", 60_000, undefined])("with a length of %j", (size) => {
    expect(() => tumbling(size as Duration)).toThrow(invalid(/^tumbling: .* is not a duration/));
  });
});

describe("a window is refused", () => {
  it.each([undefined, null, "", "10", "-1 s", 10])("with a grace of %j", (grace) => {
    expect(() => declare({ grace })).toThrow(invalid(/^window: grace: .* is not a duration/));
  });

  it("without aggregates", () => {
    expect(() => declare({}, {})).toThrow(invalid(/^window: name at least one aggregate, such as \{ n: count\(\) \}$/));
  });

  it.each(BAD_NAMES.filter(([, name]) => name !== undefined))("with %s as its name", (_what, name) => {
    expect(() => declare({ name })).toThrow(expect.objectContaining({ _tag: "InvalidName" }) as Error);
  });

  it.each([0, -1, 1.5, 1e9, Number.NaN, "4"])("with %j partitions for its repartition topic", (partitions) => {
    expect(() => declare({ partitions, by: () => "" })).toThrow(
      invalid(/partitions must be a whole number from 1 to 4096/),
    );
  });
});

describe("a length of time is refused", () => {
  const zero = ["0 s", "0 ms", "0.0 d", "0 minutes"];
  const fractions = ["0.5 ms", "1.5 ms", "0.0001 s", "1.0005 s"];
  const none = [
    "",
    "-1 s",
    "10",
    "s",
    "1e3 s",
    "Infinity s",
    "NaN ms",
    "1 fortnight",
    60_000,
    null,
    undefined,
    {},
    ["1 s"],
  ];
  const places: readonly (readonly [string, (length: unknown) => unknown])[] = [
    ["tumbling: size", tumbling as Loose],
    ["hopping: size", (length) => (hopping as Loose)(length, "1 ms")],
    ["hopping: every", (length) => (hopping as Loose)("1 h", length)],
    ["session: gap", session as Loose],
    ["every", every as Loose],
    ["deduplicate: within", (within) => (deduplicate as Loose)(String, { within })],
    ["aggregate: ttl", (ttl) => (aggregate as Loose)({ n: count() }, { ttl: ttl ?? "" })],
  ];

  it.each(places)("of nothing, as %s", (what, make) => {
    for (const length of zero) {
      expect(() => make(length)).toThrow(invalid(new RegExp(`^${what} must be at least 1 ms, and whole, not "`)));
    }
  });

  it.each([
    ...places,
    ["tumbling: offset", (length: unknown) => (tumbling as Loose)("1 h", length ?? "")] as const,
    ["sliding: size", sliding as Loose] as const,
    ["window: grace", (grace: unknown) => declare({ grace })] as const,
  ])("that is none, or no whole number of ms, as %s", (what, make) => {
    for (const length of [...fractions, ...none]) {
      expect(() => make(length)).toThrow(invalid(new RegExp(`^${what}: `)));
    }
  });
});

describe("windows that overlap are refused", () => {
  it("when they would leave records out", () => {
    expect(() => hopping("10 s", "11 s")).toThrow(invalid(/every must not be longer than the size/));
    expect(hopping("10 s", "10 s")).toMatchObject({ sizeMs: 10_000, everyMs: 10_000 });
  });

  it("when a record would be in more than 1,000 of them", () => {
    expect(() => hopping("1001 ms", "1 ms")).toThrow(invalid(/each record would be in 1001 windows .* at most 1000/));
    expect(() => hopping("10001 ms", "10 ms")).toThrow(invalid(/each record would be in 1001 windows/));
    expect(hopping("1000 ms", "1 ms")).toMatchObject({ sizeMs: 1_000 });
  });
});

describe("an unlimited window is refused", () => {
  it.each([Number.NaN, 1.5, Number.POSITIVE_INFINITY, 8.64e15 + 1, -8.64e15 - 1, "0", null, {}])(
    "from %j on",
    (fromMs) => {
      expect(() => (unlimited as Loose)(fromMs)).toThrow(
        invalid(/^unlimited: the first instant must be a whole number/),
      );
    },
  );
});

describe("what is no window is refused", () => {
  const other: readonly (readonly [string, unknown])[] = [
    ["nothing", undefined],
    ["null", null],
    ["a text", "1 h"],
    ["a function that makes one", tumbling],
    ["aggregates", { n: count() }],
    ["a list", [tumbling("1 h")]],
    ["what belongs into emit", every("5 s")],
    ["a kind that does not exist", { kind: "monthly", text: "" }],
  ];

  it.each(other)("%s", (_what, spec) => {
    expect(() => (window as Loose)(spec, { n: count() }, { grace: "0 s" })).toThrow(
      invalid(/^window: its first argument must be tumbling\(…\), hopping\(…\), /),
    );
  });
});

describe("what are no aggregates is refused", () => {
  const operators: readonly (readonly [string, (aggregates: unknown) => unknown])[] = [
    ["window", (aggregates) => (window as Loose)(tumbling("1 h"), aggregates, { grace: "0 s" })],
    ["aggregate", (aggregates) => (aggregate as Loose)(aggregates)],
  ];
  const bad: readonly (readonly [string, unknown])[] = [
    ["nothing", undefined],
    ["null", null],
    ["none", {}],
    ["a number", 5],
    ["a text", "count"],
    ["a function that makes one", { n: count }],
    ["an aggregate without a name for its result", count()],
    ["one without out", { n: { name: "n", init: () => 0, add: () => 0 } }],
    ["null in the place of one", { n: null }],
    ["a property of prototypes", JSON.parse('{"__proto__": {"name": "n"}}')],
  ];

  it.each(
    operators.flatMap(([operator, make]) =>
      bad.map(([what, aggregates]) => [operator, what, make, aggregates] as const),
    ),
  )("%s: %s", (operator, _what, make, aggregates) => {
    expect(() => make(aggregates)).toThrow(invalid(new RegExp(`^${operator}: `)));
  });
});

describe("a session is refused", () => {
  it("with a fold that cannot merge, by the name of its result", () => {
    const folds = { n: count(), list: fold<Order, number>(0, (n) => n + 1), p: percentile<Order>((o) => o.total, 95) };
    const make = (aggregates: object, spec: WindowSpec): unknown => window(spec, aggregates, { grace: "0 s" });
    expect(() => make(folds, session("1 s"))).toThrow(
      invalid(/^window: sessions .*, and list cannot: .* a fold its third/),
    );
    expect(() => make(folds, sliding("1 s"))).not.toThrow();
    const merging = {
      ...folds,
      list: fold<Order, number>(
        0,
        (n) => n + 1,
        (a, b) => a + b,
      ),
    };
    expect(() => make(merging, session("1 s"))).not.toThrow();
  });
});

describe("options are refused", () => {
  it.each<readonly [string, object, RegExp]>([
    ["that do not exist", { graze: "1 s" }, /^window: there is no option "graze"/],
    ["of the state that do not exist", { state: { versoin: 1 } }, /^window: state: there is no option "versoin"/],
    [
      "of dead letters that do not exist",
      { onError: "park", deadLetters: { tpoic: "x" } },
      /there is no option "tpoic"/,
    ],
    ["as state that is none", { state: 2 }, /^window: state/],
    ["with a version of 0", { state: { version: 0 } }, /^window: state.version must be a whole number from 1, not 0/],
    ["with a version that is text", { state: { version: "2" } }, /^window: state.version must be a whole number/],
    ["with a migrate that is none", { state: { migrate: {} } }, /^window: state.migrate must be a function/],
    ["with a by that is no function", { by: "region" }, /^window: by must be a function/],
    ["with another emit", { emit: "late" }, /^window: emit is "final", "updates" or every\("5 s"\), not "late"/],
    ["with a duration as emit", { emit: "5 s" }, /^window: emit is /],
    ["with a window as emit", { emit: tumbling("5 s") }, /^window: emit is /],
    ["with the name of a topic as lateTo", { lateTo: "late" }, /^window: lateTo must be a topic or a function, not /],
    ["with null as lateTo", { lateTo: null }, /^window: lateTo must be a topic or a function, not null/],
    ["with another policy", { onError: "ignore" }, /^window: onError must be /],
  ])("%s", (_what, options, message) => {
    expect(() => declare(options)).toThrow(invalid(message));
  });

  it.each(["aggregate", "deduplicate"])("of %s that do not exist", (operator) => {
    const call = (options: unknown): unknown =>
      operator === "aggregate"
        ? (aggregate as Loose)({ n: sum((n: number) => n) }, options)
        : (deduplicate as Loose)(String, options);
    expect(() => call({ within: "1 s", grace: "1 s" })).toThrow(
      invalid(new RegExp(`^${operator}: there is no option`)),
    );
    for (const wrong of ["1 s", null, 5]) {
      expect(() => call(wrong)).toThrow(invalid(new RegExp(`^${operator}`)));
    }
  });

  it.each([undefined, null, "id", {}])("of deduplicate: %j in the place of the identity", (identity) => {
    expect(() => (deduplicate as Loose)(identity, { within: "1 s" })).toThrow(
      invalid(/^deduplicate: its first argument/),
    );
  });

  it("of deduplicate without within", () => {
    expect(() => (deduplicate as Loose)(String, {})).toThrow(invalid(/^deduplicate: within: /));
    expect(() => (deduplicate as Loose)(String)).toThrow(expect.objectContaining({ _tag: "InvalidOption" }) as Error);
  });
});
