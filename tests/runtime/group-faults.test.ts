import { type AppEvent, mapOrdered, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { type Bench, bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { type FaultyAdapter, faultyAdapter } from "./support/faulty-adapter.ts";

const source = items("source", { partitions: 4 });
const copy = items("copy", { partitions: 1 });

/** Two workers with a session of 2 s, at work on a backlog; the first one meets faults. */
async function twoAtWork(top: Bench) {
  const plan = pipeline(
    "copy",
    stream(source).pipe(
      mapOrdered(
        (item: Item) =>
          new Promise<Item>((resolve) => {
            top.clock.after(200, () => resolve(item));
          }),
      ),
      sink(copy),
    ),
  );
  await top.send(source, sequence(1_200, 40));
  const adapter: FaultyAdapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
  const events: { readonly victim: AppEvent[]; readonly other: AppEvent[] } = { victim: [], other: [] };
  const start = async (who: "victim" | "other") => {
    const app = top.app("app", { member: { session: "2 s" }, ...(who === "victim" ? { adapter } : {}) });
    app.events$.subscribe((event) => events[who].push(event));
    return top.settle(app.run(plan));
  };
  const victim = await start("victim");
  const other = await start("other");
  await top.clock.advance(1_000);
  return { adapter, events, victim, other };
}

async function expectAllOnce(top: Bench): Promise<void> {
  const values = (await top.read(copy)).map(({ value }) => value);
  expect(values.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(sequence(1_200).map(({ n }) => n));
}

const tags = (events: readonly AppEvent[]): ReadonlySet<string> => new Set(events.map(({ _tag }) => _tag));

describe("a worker", () => {
  it("whose heartbeats fail while its commits work stops when its session is over; the other goes on", async () => {
    const top = bench();
    const { adapter, events, other } = await twoAtWork(top);
    adapter.cut("group");
    await top.clock.advance(2_500);
    expect(tags(events.victim)).toContain("SessionLost");
    const committed = events.victim.filter(({ _tag }) => _tag === "Committed").length;
    await top.settle(other.done);
    expect(events.victim.filter(({ _tag }) => _tag === "Committed")).toHaveLength(committed);
    await expectAllOnce(top);
  });

  it("whose commits fail while its heartbeats work keeps its tasks, waits, and goes on (nobody else could do better)", async () => {
    const top = bench();
    const { adapter, events, victim, other } = await twoAtWork(top);
    adapter.cut("tasks");
    await top.clock.advance(10_000);
    expect(tags(events.victim)).toContain("Stalled");
    expect(tags(events.victim)).not.toContain("SessionLost");
    adapter.mend();
    await top.settle(Promise.all([victim.done, other.done]));
    await expectAllOnce(top);
  });

  it("that thaws after its session drops what it held, commits nothing of it, and joins again (H9)", async () => {
    const top = bench();
    const { adapter, events, victim, other } = await twoAtWork(top);
    adapter.freeze();
    await top.clock.advance(5_000);
    adapter.mend();
    await top.settle(Promise.all([victim.done, other.done]));
    expect(events.victim.filter(({ _tag }) => _tag === "Joined").length).toBe(2);
    expect([...tags(events.victim)].some((tag) => tag === "Lost" || tag === "Fenced")).toBe(true);
    await expectAllOnce(top);
  });
});

describe("a worker that is alone", () => {
  it("and whose heartbeats fail commits nothing more when its session is over by its own clock (M1)", async () => {
    const top = bench();
    const { adapter, events, other } = await twoAtWork(top);
    await top.settle(other.stop());
    adapter.cut("group");
    await top.clock.advance(2_100);
    const committed = events.victim.filter(({ _tag }) => _tag === "Committed").length;
    expect(tags(events.victim)).toContain("SessionLost");
    await top.clock.advance(3_000);
    expect(events.victim.filter(({ _tag }) => _tag === "Committed")).toHaveLength(committed);
  });

  it("and thaws tells of its new stay when the store knows of it", async () => {
    const top = bench();
    const { adapter, events, other } = await twoAtWork(top);
    await top.settle(other.stop());
    adapter.freeze();
    await top.clock.advance(5_000);
    adapter.mend();
    await top.clock.advance(500);
    const { epoch, members } = await top.settle(top.app().describeGroup("copy"));
    expect(members).toHaveLength(1);
    expect(events.victim.findLast(({ _tag }) => _tag === "Joined")).toMatchObject({ epoch });
  });

  it("and is stopped while it joins again leaves nobody behind", async () => {
    const top = bench();
    const { adapter, victim, other } = await twoAtWork(top);
    await top.settle(other.stop());
    adapter.freeze();
    await top.clock.advance(5_000);
    await top.settle(victim.stop({ within: "500 ms" }));
    adapter.mend();
    await top.clock.advance(500);
    const { members } = await top.settle(top.app().describeGroup("copy"));
    expect(members.filter(({ expiresInMs }) => expiresInMs > 0)).toEqual([]);
  });
});

describe("stopping a worker whose store does not answer", () => {
  it("ends in the time that was given for it, and a little", async () => {
    const top = bench();
    const { adapter, victim } = await twoAtWork(top);
    adapter.freeze();
    const startMs = top.clock.now();
    await top.settle(victim.stop({ within: "1 s" }));
    expect(top.clock.now() - startMs).toBeLessThanOrEqual(1_500);
  });
});

describe("a topic that is deleted under a group", () => {
  it("stops all of its workers with TopicLost", async () => {
    const top = bench();
    await top.send(source, sequence(100, 40), { end: false });
    const plan = pipeline("copy", stream(source).pipe(sink(copy)));
    const runs = [await top.settle(top.app().run(plan)), await top.settle(top.app().run(plan))];
    await top.clock.advance(1_000);
    top.adapter.deleteTopic("source");
    for (const running of runs) {
      expect(await top.settle(rejection(running.done))).toMatchObject({ _tag: "TopicLost" });
    }
  });
});
