import { createApp, map, pipeline, sink, sleep, stream } from "@millrace/core";
import { map as rxMap } from "rxjs";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

function failing(isBroken: () => boolean) {
  return function check(item: Item): Item {
    if (isBroken() && item.n === 3) {
      throw new RangeError("secret payload");
    }
    return item;
  };
}

describe("a task that stands still", () => {
  it("says so in its status, and goes on by itself when its operator no longer fails", async () => {
    const { app, send, read, settle, clock, events } = bench();
    let isBroken = true;
    const copying = pipeline("copy", stream(source).pipe(map(failing(() => isBroken)), sink(copy)));
    await send(source, sequence(5));
    const running = await settle(app("app", { restart: {} }).run(copying));
    await settle(sleep(clock, 5_000));
    expect(running.status()).toMatchObject([{ state: "restarting", processed: 3 }]);
    const restarts = events.filter((event) => event._tag === "Restarting");
    expect(restarts.map(({ restart }) => restart)).toEqual(restarts.map((_, index) => index + 1));
    expect(restarts.length).toBeGreaterThan(2);
    isBroken = false;
    await settle(running.done);
    expect((await read(copy)).map(({ value }) => value.n)).toEqual([0, 1, 2, 3, 4]);
  });

  it("is quarantined where its policy says so, until it is resumed", async () => {
    const { app, send, read, settle, clock, events } = bench();
    let isBroken = true;
    const worker = app("app", { restart: {} });
    const check = map(
      failing(() => isBroken),
      { onError: "quarantine" },
    );
    const copying = pipeline("copy", stream(source).pipe(check, sink(copy)));
    await send(source, sequence(5));
    const running = await settle(worker.run(copying));
    await settle(sleep(clock, 5_000));
    expect(running.status()).toMatchObject([{ state: "quarantined", processed: 3 }]);
    expect(events.filter(({ _tag }) => _tag === "Quarantined")).toHaveLength(1);
    expect((await read(copy)).map(({ value }) => value.n)).toEqual([0, 1, 2]);
    isBroken = false;
    expect(await settle(worker.resume(copying))).toBe(1);
    await settle(running.done);
    expect((await read(copy)).map(({ value }) => value.n)).toEqual([0, 1, 2, 3, 4]);
  });

  it("is told of by a process warning without a payload while nobody listens to events", async () => {
    const { adapter, clock, send, settle } = bench();
    await send(source, sequence(5), { end: false });
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    const app = createApp({ name: "app", adapter, clock });
    const running = await settle(app.run(pipeline("copy", stream(source).pipe(map(failing(() => true)), sink(copy)))));
    await settle(sleep(clock, 300));
    await settle(running.stop());
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    const ours = warnings.filter(({ name }) => name === "MillraceWarning");
    expect(ours.length).toBeGreaterThan(0);
    expect(ours[0]?.message).toMatch(
      /task app\.copy\/source\/0 has failed and starts again in \d+ ms: .*app\.events\$/,
    );
    expect(ours[0]?.message).not.toContain("secret");
  });
});

describe("strictNative", () => {
  const foreign = pipeline(
    "copy",
    stream(source).pipe(
      rxMap((item) => item),
      sink(copy),
    ),
  );

  it("refuses pipelines with foreign operators and names them", async () => {
    const { app, settle } = bench();
    const error = await rejection(settle(app("app", { strictNative: true }).run(foreign)));
    expect(error).toMatchObject({ _tag: "InvalidPipeline", message: expect.stringContaining("native behind source") });
  });

  it("is off unless it is asked for", async () => {
    const { app, send, complete, read } = bench();
    await send(source, sequence(2));
    await complete(app(), foreign);
    expect(await read(copy)).toHaveLength(2);
  });
});

describe("an operator whose keys are parked", () => {
  it("must not vanish from the pipeline: later records would overtake them", async () => {
    const { app, send, settle, caughtUp, clock } = bench();
    const worker = app();
    await send(source, sequence(9), { end: false });
    const parking = pipeline(
      "copy",
      stream(source).pipe(
        map(
          failing(() => true),
          { onError: "park" },
        ),
        sink(copy),
      ),
    );
    const running = await settle(worker.run(parking));
    await caughtUp(running, 9);
    await settle(running.stop());

    const without = pipeline("copy", stream(source).pipe(map(failing(() => false)), sink(copy)));
    const refused = await settle(worker.run(without));
    const error = await rejection(settle(refused.done));
    expect(error).toMatchObject({
      _tag: "StateMismatch",
      message: expect.stringContaining('1 key is parked at "source.map"'),
    });

    const again = await settle(worker.run(parking));
    await settle(worker.deadLetters(parking).discard({ all: true }));
    await settle(again.stop());
    const fine = await settle(worker.run(without));
    await settle(sleep(clock, 2_000));
    expect(fine.status()).toMatchObject([{ state: "running" }]);
    await settle(fine.stop());
  });
});
