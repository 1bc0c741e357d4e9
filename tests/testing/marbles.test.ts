import { count, json, map, mapOrdered, pipeline, sink, sleep, stream, topic, tumbling, window } from "@millrace/core";
import { createVirtualClock, effectMarbles, marblesBy, marblesOf, runMarbles } from "@millrace/testing";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";

const text = { codec: json(t.string), key: (letter: string) => letter };
const letters = topic("letters", text);
const copies = topic("copies", text);
const copy = pipeline("copy", stream(letters).pipe(sink(copies)));
const io = { in: marblesOf(letters), out: marblesOf(copies) };

describe("marbles of one partition", () => {
  it("without owners, one worker copies what comes, when it comes", async () => {
    const run = await runMarbles(
      copy,
      `
        records  -a-(bc)-d
        out      -a-(bc)-d
        commits  -1-3----4
      `,
      io,
    );
    run.expectOut().exactly();
    run.expectOut("-a-(bc)-d").perKeyOrder();
    run.expectCommits().exactly();
    expect(run.diagram).toBe(["records  -a-(bc)-d", "out      -a-(bc)-d", "commits  -1-3----4"].join("\n"));
  });

  it("a graceful hand-over loses nothing, repeats nothing, and hardly takes time", async () => {
    const run = await runMarbles(
      copy,
      `
        records p0  -ab-cde-f---
        owner   p0  A----B--A---
        out         -ab-cde-f---
        commits p0  -12-345-6---
      `,
      { ...io, column: "1 s" },
    );
    run.expectOut().exactly();
    run.expectCommits().exactly();
  });

  it("a crash is taken over when the session is over, and what came meanwhile is processed then", async () => {
    const run = await runMarbles(
      copy,
      `
        records p0  -ab-c-d--e---------f-
        owner   p0  A----!-B-------------
        out         -ab-c----------(de)f-
        commits p0  -12-3----------5---6-
      `,
      { ...io, column: "100 ms" },
    );
    run.expectOut().exactly();
    run.expectCommits().exactly();
    // The row says who is to follow; this says when it did.
    expect(run.diagram).toContain("owner p0    A----!---------B-----");
  });

  it("a worker that is started again under its name has its place back at once", async () => {
    const run = await runMarbles(
      copy,
      `
        records p0  -ab-c--d-e--
        owner   p0  A----(!A)-!A
        out         -ab-c--d-e--
      `,
      { ...io, column: "1 s" },
    );
    run.expectOut().exactly();
  });

  it("nobody owns it: nothing comes out, until somebody does", async () => {
    const run = await runMarbles(
      copy,
      `
        records p0  ab----c-d--
        owner   p0  --A----|-B-
        out         --(ab)c--d-
        commits p0  --2---3--4-
      `,
      { ...io, column: "1 s" },
    );
    run.expectOut().exactly();
    run.expectCommits().exactly();
    expect(run.diagram).toContain("owner p0    --A----|-B-");
  });

  it("side effects that a crash repeats are drawn twice; what is committed is not", async () => {
    const clock = createVirtualClock();
    const mails = effectMarbles((letter: string) => letter);
    const slow = pipeline(
      "slow",
      stream(letters).pipe(
        mapOrdered(async (letter) => {
          mails.record(letter);
          await sleep(clock, 250);
          return letter;
        }),
        sink(copies),
      ),
    );
    const run = await runMarbles(
      slow,
      `
        records p0  -a---c-d-----------------f----
        owner   p0  A-----!-B---------------------
        out         ---a-------------(cd)------f--
        effects     -a---c---------(cd)------f----
      `,
      { ...io, column: "100 ms", clock, effects: mails },
    );
    run.expectOut().exactly();
    run.expectEffects().exactly();
    run.expectEffects("acdf").atLeastOnce().perKeyOrder();
    expect(() => run.expectEffects("acdf").perKeyOrder()).toThrow('"c" came more often than it is drawn');
    expect(() => run.expectEffects("afcd").atLeastOnce()).not.toThrow();
    expect(() => run.expectEffects("acdef").atLeastOnce()).toThrow('in column 3 (300 ms) "e" never came');
  });

  it("the end of a topic closes its windows", async () => {
    const Hit = t.type({ at: t.number });
    const hits = topic("hits", { codec: json(Hit), key: () => "all", timestamp: (hit) => hit.at });
    const minutes = topic("minutes", { codec: json(t.type({ hits: t.number })), key: null });
    const counts = pipeline(
      "counts",
      stream(hits).pipe(
        window(tumbling("1 minute"), { hits: count() }, { grace: "0 s" }),
        map(({ value }) => minutes.of(value)),
        sink(minutes),
      ),
    );
    const run = await runMarbles(
      counts,
      `
        records  012-6--|---
        out      ----3---1--
      `,
      {
        column: "1 s",
        in: marblesOf(hits, (digit) => ({ at: Number(digit) * 10_000 })),
        out: marblesBy(minutes, (minute) => String(minute.hits)),
      },
    );
    run.expectOut().exactly();
  });

  it("virtual time is exact: what is due at a column's end happens in the next one", async () => {
    const clock = createVirtualClock();
    const seen = effectMarbles((letter: string) => letter);
    const delayed = pipeline(
      "delayed",
      stream(letters).pipe(
        mapOrdered(async (letter) => {
          await sleep(clock, letter === "a" ? 9 : 10);
          seen.record(letter);
          return letter;
        }),
        sink(copies),
      ),
    );
    const run = await runMarbles(
      delayed,
      `
        records  -a--b---
        out      -a---b--
        effects  -a---b--
      `,
      { ...io, column: "10 ms", clock, effects: seen },
    );
    run.expectOut().exactly();
    run.expectEffects().exactly();
    expect(clock.now() % 1_000).toBe(80);
    // What is due at the very end is behind the diagram, which says nothing of it.
    const shorter = await runMarbles(delayed, "records  -a--b\nout      -a---", {
      ...io,
      column: "10 ms",
      clock,
      effects: seen,
    });
    shorter.expectOut().exactly();
    shorter.expectEffects("-a---").exactly();
  });
});

describe("marbles of several partitions", () => {
  const two = topic("two", { ...text, partitions: 2 });
  const both = topic("both", { ...text, partitions: 2 });
  const spread = pipeline("spread", stream(two).pipe(sink(both)));
  const ports = { in: marblesOf(two), out: marblesOf(both), column: "100 ms" } as const;

  it("a second worker gets the partition that the group gives it; the other one is not touched", async () => {
    const run = await runMarbles(
      spread,
      `
        records p0  -a--b--c----------e-
        records p1  --d-f-g--------h----
        owner   p0  A-------------------
        owner   p1  A-----B-------------
        out p0      -a--b--c----------e-
        out p1      --d-f-g--------h----
        commits p0  -1--2--3----------4-
        commits p1  --1-2-3--------4----
      `,
      ports,
    );
    run.expectOut().exactly();
    run.expectCommits().exactly();
    run.expectOut("out  dfghabce").perKeyOrder();
    run.expectCommits("commits  -12-4-56-------7--8-").exactly();
  });

  it("a row that does not come true fails, with what the group did instead", async () => {
    const failed = runMarbles(
      spread,
      `
        records     -abcd---------------
        owner   p0  A----B--------------
        owner   p1  A-------------------
      `,
      ports,
    );
    await expect(failed).rejects.toMatchObject({
      _tag: "OwnerNotReached",
      code: "MR_MARBLES_OWNER",
      expected: ["owner p0  A----B--------------", "owner p1  A-------------------"].join("\n"),
      actual: ["owner p0  A-------------------", "owner p1  A-----B-------------"].join("\n"),
      message: expect.stringContaining("from column 5 on B was to have partition 0") as string,
    });
  });

  it("a crash leaves the other worker's partition alone, which then takes over", async () => {
    const run = await runMarbles(
      spread,
      `
        records p0  -a--b--c----------e-
        records p1  --d-f-g--------h----
        owner   p0  A--!--------------B-
        owner   p1  B-------------------
        out p0      -a-----------(bc)-e-
        out p1      --d-f-g--------h----
      `,
      ports,
    );
    run.expectOut().exactly();
  });
});

describe("marbles of several pipelines", () => {
  const finals = topic("finals", text);
  const chain = [copy, pipeline("again", stream(copies).pipe(sink(finals)))];
  const both = { in: [marblesOf(letters), marblesOf(copies)], out: [marblesOf(copies), marblesOf(finals)] };

  it("rows name their topics, and a worker runs all of them", async () => {
    const run = await runMarbles(
      chain,
      `
        records letters p0  -ab-c--d-----------------
        owner letters p0    A----!-B-----------------
        owner copies p0     A----!-B-----------------
        out copies p0       -ab-c----------d---------
        out finals p0       -ab-c-----------d--------
        commits letters p0  -12-3----------4---------
        commits copies p0   -12-3-----------4--------
      `,
      { ...both, column: "100 ms" },
    );
    run.expectOut("out copies  -ab-c----------d\nout finals  -ab-c----------d").perKeyOrder();
    run.expectCommits("commits letters  -12-3----------4").exactly();
    expect(run.diagram.split("\n").map((line) => line.slice(0, 18).trim())).toEqual([
      "records letters p0",
      "owner letters p0",
      "owner copies p0",
      "out copies p0",
      "out finals p0",
      "commits letters p0",
      "commits copies p0",
    ]);
  });

  it("the same diagram gives the same run", async () => {
    const diagram = `
      records letters  -(abcd)--e-f-g-------------(hijk)----------------
      owner letters    A---B--!-A---(!A)--B-----------------------------
    `;
    const options = { ...both, column: "100 ms", owners: "asked" } as const;
    const runs = await Promise.all([1, 2, 3].map(() => runMarbles(chain, diagram, options)));
    expect(new Set(runs.map((run) => run.diagram)).size).toBe(1);
    runs[0]?.expectOut("out finals  abcdefghijk").perKeyOrder();
  });
});
