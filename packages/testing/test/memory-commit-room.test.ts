import { beforeEach, describe, expect, it } from "vitest";
import { ok } from "../src/conformance/outcome.ts";
import { outcome, output, pending, type SmallBroker, startSmallBroker } from "./support/small-broker.ts";

let broker: SmallBroker;

beforeEach(async () => {
  broker = await startSmallBroker();
});

describe("a commit that waits for room", () => {
  it("waits for all destinations, then writes all of them, holding none meanwhile", async () => {
    const [source, full, roomy] = [
      await broker.topic("source"),
      await broker.topic("full"),
      await broker.topic("roomy"),
    ];
    const [worker, consumer] = [await broker.worker("w", source), await broker.worker("c", full)];
    await broker.fill(full);
    const offset = await broker.offsetOf(full, "e");
    const waiting = worker.commit({ outputs: [output(roomy, "1"), output(full, "1")], time: "t" })();
    expect(await pending(waiting)).toBe(true);
    expect(await ok(broker.ports.log.times(roomy))).toMatchObject({ partitions: [{ appended: 0 }] });
    await ok(broker.append(roomy, "2"));
    await ok(consumer.commit({ offset }));
    expect(await waiting).toMatchObject({ right: "applied" });
    expect(await broker.names(roomy)).toBe("21");
    expect(await broker.names(full)).toBe("1");
  });

  it("does not starve where its destinations never have room at the same time", async () => {
    const [source, one, two] = [await broker.topic("source"), await broker.topic("one"), await broker.topic("two")];
    const worker = await broker.worker("w", source);
    const [first, second] = [await broker.worker("1", one), await broker.worker("2", two)];
    await broker.fill(one);
    await broker.fill(two);
    const [inOne, inTwo] = [await broker.offsetOf(one, "a"), await broker.offsetOf(two, "a")];
    const waiting = worker.commit({ outputs: [output(one, "x"), output(two, "x")] })();
    // Each time there is room in one of them, another writer takes it.
    const others = [broker.append(one, "f")(), broker.append(two, "f")()];
    await ok(first.commit({ offset: inOne }));
    await others[0];
    expect(await pending(waiting)).toBe(true);
    await ok(second.commit({ offset: inTwo }));
    expect(await waiting).toMatchObject({ right: "applied" });
    expect(await broker.names(one)).toBe("bcdefx");
  });

  it("does not lock up with a consumer of its full destination that writes to its other one", async () => {
    const [source, one, two] = [await broker.topic("source"), await broker.topic("one"), await broker.topic("two")];
    const [worker, consumer] = [await broker.worker("w", source), await broker.worker("c", one)];
    await broker.fill(one);
    const offset = await broker.offsetOf(one, "e");
    const waiting = worker.commit({ outputs: [output(one, "1"), output(two, "1")] })();
    expect(await pending(waiting)).toBe(true);
    expect(await outcome(consumer.commit({ offset, outputs: [output(two, "2")] }))).toBe("applied");
    expect(await waiting).toMatchObject({ right: "applied" });
    expect(await broker.names(two)).toBe("21");
  });

  it("is refused at once when the task is taken over, and leaves nothing", async () => {
    const [source, full] = [await broker.topic("source"), await broker.topic("full")];
    const worker = await broker.worker("w", source);
    await broker.fill(full);
    const waiting = outcome(worker.commit({ outputs: [output(full, "never")], time: "never" }));
    expect(await pending(waiting)).toBe(true);
    expect(await ok(broker.ports.tasks.acquire(worker.task, 2))).toMatchObject({ sequence: 0, time: null });
    expect(await waiting).toBe("Fenced");
    expect(await broker.names(full)).toBe("abcde");
  });

  it("is applied once when it is repeated while it waits", async () => {
    const [source, full] = [await broker.topic("source"), await broker.topic("full")];
    const [worker, consumer] = [await broker.worker("w", source), await broker.worker("c", full)];
    await broker.fill(full);
    const offset = await broker.offsetOf(full, "e");
    const commit = worker.commit({ outputs: [output(full, "f")] });
    const waiting = [outcome(commit), outcome(commit)];
    await ok(consumer.commit({ offset }));
    expect(await Promise.all(waiting)).toEqual(["applied", "alreadyApplied"]);
    expect(await broker.names(full)).toBe("f");
  });
});
