import { json, map, type Pipeline, pipeline, sink, stream, topic } from "@millrace/core";
import {
  createVirtualClock,
  effectMarbles,
  type MarbleError,
  type MarbleOptions,
  marblesBy,
  marblesOf,
  runMarbles,
} from "@millrace/testing";
import * as fc from "fast-check";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";

const Order = t.type({ id: t.string, customer: t.string });
const orders = topic("orders", { codec: json(Order), key: (order) => order.customer, partitions: 2 });
const turns = topic("turns", { codec: json(t.string), key: null, partitions: 2 });
const ids = topic("ids", { codec: json(t.string), key: (id) => id });
const pick = pipeline(
  "pick",
  stream(orders).pipe(
    map((order) => ids.of(order.id)),
    sink(ids),
  ),
);

// The key ann belongs to partition 0, the key d to partition 1.
const values = {
  a: { id: "a", customer: "ann" },
  b: { id: "b", customer: "d" },
  n: { id: "n", customer: "ann", more: undefined },
} as const;
const options = { in: marblesOf(orders, values), out: marblesOf(ids), column: "100 ms" } as const;

/** The error that a diagram is refused with. */
async function refused(
  diagram: string,
  changed: Partial<MarbleOptions> = {},
  pipelines: Pipeline | readonly Pipeline[] = pick,
): Promise<MarbleError> {
  const error: unknown = await runMarbles(pipelines, diagram, { ...options, ...changed }).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "MarbleError", _tag: "InvalidMarbles", code: "MR_MARBLES_INVALID" });
  return error as MarbleError;
}

describe("diagrams that do not fit what they are run with", () => {
  it.each([
    [
      "a letter that stands for nothing",
      "records  -ax",
      '"x" stands for no value of topic "orders": there are a, b, n',
      11,
    ],
    [
      "a record in the row of another partition",
      "records p1  --a",
      '"a" has the key "ann", which belongs to partition 0',
      14,
    ],
    ["a partition that there is not", "records p2  --a", "there is no partition 2: the topic has 2, from p0 on", 0],
    ["an owner of a partition that there is not", "owner p7  A", "there is no partition 7", 0],
    ["outputs of a partition that there is not", "out p1  a", "there is no partition 1: the topic has 1", 0],
    ["commits of a partition that there is not", "commits p3  1", "there is no partition 3: the topic has 2", 0],
    ["an end that is not the end", "records  a|a", '| ends the topic "orders" in all its partitions', 10],
    ["two ends", "records p0  a-|\nrecords p1  --|", '| ends the topic "orders" in all its partitions', 14],
    ["an end in front of another row's records", "records p0  a|-\nrecords p1  --b", '| ends the topic "orders"', 13],
    ["effects without a recorder", "effects  -a", "no effects are recorded: give runMarbles a recorder", 0],
    ["a crash of nobody", "owner  -!", "nobody is drawn as the owner here, so nobody can crash", 8],
  ])("%s", async (_, diagram, message, place) => {
    const { message: found } = await refused(diagram);
    expect(found).toContain(message);
    const caret = found.split("\n").find((line) => line.trim() === "^");
    expect(caret?.indexOf("^")).toBe(place + 2);
  });

  it("a topic that is not named where there are several", async () => {
    const both = { in: [marblesOf(orders, values), marblesOf(turns)] };
    const two = [pick, pipeline("copy", stream(turns).pipe(sink(ids)))];
    const { message } = await refused("records  -a", both, two);
    expect(message).toContain('which topic is "records" of? A row "records" names one of orders, turns');
    const named = await runMarbles(two, "records orders p0  -a-\nout                -a-", { ...options, ...both });
    named.expectOut().exactly();
  });

  it("a topic without keys, whose records go to the partitions in turn", async () => {
    const copy = pipeline("copy", stream(turns).pipe(sink(ids)));
    const { message } = await refused("records p0  -a", { in: marblesOf(turns) }, copy);
    expect(message).toContain('topic "turns" has no keys, so its records go to the partitions in turn');
  });

  it("a topic that is only read", async () => {
    const { message } = await refused("records  -a", { in: marblesBy(orders, ({ id }) => id) });
    expect(message).toContain('topic "orders" is only read by marblesBy: what "a" stands for is said by marblesOf');
  });

  it("a topic that no pipeline reads, and no pipeline at all", async () => {
    const { message } = await refused("records  -a", { in: marblesOf(turns) });
    expect(message).toBe('runMarbles: no pipeline reads topic "turns": they read orders');
    expect((await refused("records  -a", {}, [])).message).toContain("there is no pipeline to run");
  });

  it("one recorder for two runs at once", async () => {
    const effects = effectMarbles((letter: string) => letter);
    const first = runMarbles(pick, "records  -a", { ...options, effects });
    expect((await refused("records  -a", { effects })).message).toContain(
      "a recorder of effects is for one run at a time",
    );
    await first;
    await runMarbles(pick, "records  -a", { ...options, effects });
  });

  it("values that cannot be made: what the function throws is told", async () => {
    const broken = marblesOf(orders, (letter) => {
      throw new TypeError(`no ${letter}`);
    });
    const { message } = await refused("records  -a", { in: broken });
    expect(message).toContain('what "a" stands for, or its key, cannot be found out: TypeError: no a');
  });

  it("outputs without a topic, options that there are not, columns without a length", async () => {
    expect((await refused("out  -a", { out: [] })).message).toContain('Say so in the option "out" of runMarbles');
    expect((await refused("records  -a", { columns: 5 } as never)).message).toContain('there is no option "columns"');
    expect((await refused("records  -a", { column: "0 ms" })).message).toContain("a column is at least 1 ms");
    expect((await refused("records  -a", { column: "soon" as never })).message).toContain('"soon" is not a duration');
    expect((await refused("records  -a", { in: undefined as never })).message).toContain(
      "Give in: marblesOf(topic, …)",
    );
  });

  it("no diagram, no options", async () => {
    expect((await refused(5 as never)).message).toBe("runMarbles: a diagram is text, not number");
    await expect(runMarbles(pick, "records  -a", undefined as never)).rejects.toMatchObject({ _tag: "InvalidMarbles" });
  });

  it("options that are of another kind, as JavaScript lets them through", async () => {
    for (const [changed, text] of [
      [{ owners: "x" }, 'owners is "reached" or "asked", not "x"'],
      [{ owners: null }, 'owners is "reached" or "asked", not null'],
      [{ effects: {} }, "effects must be made by effectMarbles(…)"],
      [{ effects: null }, "effects must be made by effectMarbles(…)"],
      [{ in: {} }, "in must be made by marblesOf(topic, …)"],
      [{ in: [null] }, "in must be made by marblesOf(topic, …)"],
      [{ out: "orders" }, "out must be made by marblesOf(topic, …)"],
      [{ clock: null }, "clock must be made by createVirtualClock()"],
      [{ clock: Date }, "clock must be made by createVirtualClock()"],
    ] as const) {
      expect((await refused("records  -a", changed as never)).message).toContain(text);
    }
    expect((await refused("records  -a", {}, null as never)).message).toContain("must be made by pipeline(…)");
    expect((await refused("records  -a", {}, {} as never)).message).toContain("must be made by pipeline(…)");
  });

  it("one clock for two runs at once", async () => {
    const clock = createVirtualClock();
    const first = runMarbles(pick, "records  -a\nout      -a", { ...options, clock });
    expect((await refused("records  -a", { clock })).message).toContain("a clock is for one run at a time");
    (await first).expectOut().exactly();
    (await runMarbles(pick, "records  -a\nout      -a", { ...options, clock })).expectOut().exactly();
  });

  it("rubbish of every kind is refused or run, and never hangs", async () => {
    const signs = fc.constantFrom(..."---abn!|()[]AB C".split(""));
    const row = fc.tuple(
      fc.constantFrom("records     ", "owner   p0  ", "owner   p1  ", "owner       ", "out         ", "commits p1  "),
      fc.array(signs, { minLength: 1, maxLength: 12 }).map((all) => all.join("")),
    );
    const diagrams = fc.uniqueArray(row, { minLength: 1, maxLength: 4, selector: ([label]) => label });
    await fc.assert(
      fc.asyncProperty(diagrams, async (rows) => {
        const run = runMarbles(pick, rows.map((parts) => parts.join("")).join("\n"), { ...options, owners: "asked" });
        const error: unknown = await run.then(
          () => null,
          (reason: unknown) => reason,
        );
        expect([undefined, "InvalidMarbles"]).toContain((error as MarbleError | null)?._tag);
      }),
      { numRuns: 200 },
    );
  }, 30_000);

  it("a table with names that are no letters", () => {
    expect(() => marblesOf(orders, { ab: values.a })).toThrow('values are drawn as one letter or digit, not as "ab"');
  });

  it("another session than a group can have", async () => {
    await expect(runMarbles(pick, "records  -a", { ...options, session: "10 ms" })).rejects.toThrow("session");
  });

  it("an effect that is recorded while nothing runs", () => {
    expect(() => effectMarbles((letter: string) => letter).record("a")).toThrow("give the recorder to runMarbles");
  });

  it("does not compile: values of another type, or none where letters cannot be the values", () => {
    const typed = (): readonly unknown[] => [
      // @ts-expect-error -- orders are no text
      marblesOf(orders),
      // @ts-expect-error -- an order needs a customer
      marblesOf(orders, { a: { id: "a" } }),
      // @ts-expect-error -- a total is no property of an order
      marblesBy(orders, (order) => order.total),
      marblesOf(ids),
      marblesOf(ids, { a: "apple" }),
    ];
    expect(typed).toBeTypeOf("function");
  });
});

describe("what is expected of a run", () => {
  const diagram = `
    records  -ab-n-
    out      -ab-n-
  `;

  it("is refused where there is no such row, or one of another kind, or longer than the run", async () => {
    const run = await runMarbles(pick, diagram, options);
    expect(() => run.expectCommits()).toThrow('the diagram has no row "commits": draw one, or give one here');
    expect(() => run.expectEffects("-a")).toThrow("no effects are recorded");
    expect(() => run.expectOut("commits  -1")).toThrow('only rows "out" are compared here, not "commits"');
    expect(() => run.expectOut("-ab-n---b")).toThrow("the diagram that was run has 6 columns");
    expect(() => run.expectOut("-a(b")).toThrow("this group is never closed");
    run.expectOut().exactly();
    run.expectOut("-ab-n---").exactly();
  });

  it("knows values by what is stored of them, which leaves out what is undefined", async () => {
    const done = topic("done", { codec: json(Order), key: (order) => order.customer });
    const copy = pipeline("copy", stream(orders).pipe(sink(done)));
    const run = await runMarbles(copy, diagram, { ...options, out: marblesOf(done, values) });
    run.expectOut().exactly();
  });

  it("shows values that no letter stands for", async () => {
    const out = marblesOf(ids, { a: "apple" });
    const run = await runMarbles(pick, diagram, { ...options, out });
    expect(run.diagram).toBe("records  -ab-n-\nout      -??-?-");
    expect(() => run.expectOut("-a").atLeastOnce()).toThrow(
      expect.objectContaining({
        _tag: "MarblesDiffer",
        expected: "out       -a----",
        actual: "out       -??-?-",
        message: `"out" is not all that is drawn, or more than that: in column 1 (100 ms) "?" came, which is not drawn

  records   -ab-n-
  expected
  out       -a----
  actual
  out       -??-?-
             ^

? is a value without a letter: "a"
? is a value without a letter: "b"
? is a value without a letter: "n"
`,
      }) as Error,
    );
  });

  it("cannot be a count that no sign stands for", async () => {
    const many = "a".repeat(62);
    const run = await runMarbles(pick, `records  ${many}`, options);
    expect(() => run.expectCommits("1".repeat(62)).exactly()).toThrow(
      "62 records are committed, and one sign stands for 61",
    );
  });

  it("is not looked at when a worker has failed: the run rejects with what it has failed with", async () => {
    const broken = pipeline(
      "broken",
      stream(orders).pipe(
        map((order): string => {
          throw new TypeError(`no ${order.id}`);
        }),
        sink(ids),
      ),
    );
    await expect(runMarbles(broken, diagram, options)).rejects.toMatchObject({ _tag: "WorkerFailed" });
  });
});
