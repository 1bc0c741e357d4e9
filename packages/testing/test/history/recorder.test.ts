/** What the recorder writes, and that nobody notices it. */
import { BEFORE_FIRST, type Commit, portError, type TopicInfo } from "@millrace/core";
import { createVirtualClock, memoryAdapter } from "@millrace/testing";
import { eventLine, type HistoryLine, recordHistory } from "@millrace/testing/history";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { append, GROUP, record, recorded, right } from "./support/recorded.ts";

const head = { process: "w1", atMs: 5 };
const place = (topic: TopicInfo) => ({ topic: "in", partition: 0, incarnation: topic.incarnation });

describe("a recorder", () => {
  it("writes an append in front of its effect and its outcome behind it, and refers to the records", async () => {
    const { ports, topic, lines } = await recorded();
    const request = append(topic, ["a", "b"]);
    await right(ports.log.append(request));
    expect(lines).toEqual([
      {
        _tag: "invoke",
        op: "append",
        call: 1,
        ...head,
        ...place(topic),
        producer: "p",
        firstSequence: 0,
        records: request.records,
      },
      { _tag: "ok", op: "append", call: 1, ...head, appended: 2 },
    ]);
    expect(lines[0]).toHaveProperty("records", request.records);
  });

  it("numbers every run of a call: a repetition is a call of its own", async () => {
    const { ports, topic, lines } = await recorded();
    const call = ports.log.append(append(topic, ["a"]));
    await right(call);
    await right(call);
    expect(lines.map((line) => ("call" in line ? [line._tag, line.call] : []))).toEqual([
      ["invoke", 1],
      ["ok", 1],
      ["invoke", 2],
      ["ok", 2],
    ]);
  });

  it("writes acquisitions, commits, reads of the log and reads of stores", async () => {
    const { ports, topic, lines } = await recorded();
    const task = { group: GROUP, topic, partition: 0 };
    await right(ports.log.append(append(topic, ["a"])));
    const { nonce } = await right(ports.tasks.acquire(task, 3));
    const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
    const { records } = await right(() => reader.next({ maxRecords: 10, maxBytes: 1_000 }));
    reader.close();
    const offset = records[0]?.offset ?? BEFORE_FIRST;
    const outputs = [{ topic, partition: 0, records: [record("out")] }];
    const state = [{ store: "s", puts: [["x", "1"] as const], deletes: ["y"] }];
    await right(
      ports.tasks.commit({ task, nonce, sequence: 0, offset, processed: 1, outputs, state, time: "", watermarks: [] }),
    );
    await right(ports.state.get(task, "s", ["x", "y"]));
    await right(ports.state.scan(task, "s", null));
    await right(ports.state.due(task, "s", { fromMs: 0, untilMs: 1, limit: 1 }));
    await right(ports.state.drop(task, "s"));
    const at = { ...place(topic), group: GROUP };
    expect(lines.slice(2)).toEqual([
      { _tag: "invoke", op: "acquire", call: 2, ...head, ...at, generation: 3 },
      { _tag: "ok", op: "acquire", call: 2, ...head, nonce, sequence: 0, offset: BEFORE_FIRST, processed: 0 },
      { _tag: "read", ...head, askedMs: head.atMs, ...place(topic), reader: 1, after: BEFORE_FIRST, records },
      {
        _tag: "invoke",
        op: "commit",
        call: 3,
        ...head,
        ...at,
        nonce,
        sequence: 0,
        offset,
        processed: 1,
        outputs: [{ ...place(topic), records: [record("out")] }],
        state,
      },
      { _tag: "ok", op: "commit", call: 3, ...head, result: "applied" },
      { _tag: "invoke", op: "state", call: 4, ...head, ...at, store: "s" },
      {
        _tag: "ok",
        op: "state",
        call: 4,
        ...head,
        isWhole: false,
        entries: [
          ["x", "1"],
          ["y", null],
        ],
      },
      { _tag: "invoke", op: "state", call: 5, ...head, ...at, store: "s" },
      { _tag: "ok", op: "state", call: 5, ...head, isWhole: true, entries: [["x", "1"]] },
      { _tag: "invoke", op: "state", call: 6, ...head, ...at, store: "s" },
      { _tag: "ok", op: "state", call: 6, ...head, isWhole: false, entries: [] },
      { _tag: "invoke", op: "drop", call: 7, ...head, ...at, store: "s" },
      { _tag: "ok", op: "drop", call: 7, ...head },
    ]);
  });

  it.each([
    ["Unavailable", "info"],
    ["Refused", "info"],
    ["Fenced", "fail"],
    ["Full", "fail"],
    ["TopicLost", "fail"],
  ] as const)("takes %s for %s", async (tag, as) => {
    const { ports, topic, lines } = await recorded((inner) => ({
      ...inner,
      tasks: {
        ...inner.tasks,
        acquire: () => async () => E.left(portError(tag, "no")),
        commit: never,
        positions: never,
      },
    }));
    const result = await ports.tasks.acquire({ group: GROUP, topic, partition: 0 }, 1)();
    expect(result).toEqual(E.left(portError(tag, "no")));
    expect(lines.at(-1)).toEqual({ _tag: as, op: "acquire", call: 1, ...head, error: tag });
  });

  it("takes a call that throws for one of which nobody knows, and lets it throw", async () => {
    const broken = new RangeError("broken");
    const { ports, topic, lines } = await recorded((inner) => ({
      ...inner,
      tasks: {
        acquire: () => () => Promise.reject(broken),
        commit: () => () => {
          throw broken;
        },
        positions: never,
      },
    }));
    const task = { group: GROUP, topic, partition: 0 };
    await expect(ports.tasks.acquire(task, 1)()).rejects.toBe(broken);
    const commit: Commit = {
      task,
      nonce: "",
      sequence: 0,
      offset: BEFORE_FIRST,
      processed: 0,
      outputs: [],
      state: [],
      time: "",
      watermarks: [],
    };
    expect(() => ports.tasks.commit(commit)()).toThrow(broken);
    expect(lines.filter(({ _tag }) => _tag === "info")).toEqual([
      { _tag: "info", op: "acquire", call: 1, ...head, error: "thrown" },
      { _tag: "info", op: "commit", call: 2, ...head, error: "thrown" },
    ]);
  });

  it("hands on the very promises, and is done with its lines before whoever waits for them", async () => {
    const answer = Promise.resolve(E.right("applied" as const));
    const { ports, topic, lines } = await recorded((inner) => ({
      ...inner,
      tasks: { acquire: never, commit: () => () => answer, positions: never },
    }));
    const task = { group: GROUP, topic, partition: 0 };
    const commit = ports.tasks.commit({
      task,
      nonce: "",
      sequence: 0,
      offset: BEFORE_FIRST,
      processed: 0,
      outputs: [],
      state: [],
      time: "",
      watermarks: [],
    });
    const given = commit();
    expect(given).toBe(answer);
    const seen = given.then(() => lines.at(-1)?._tag);
    expect(await seen).toBe("ok");
  });

  it("leaves out reads where that is asked for", async () => {
    const store = memoryAdapter({ clock: createVirtualClock() });
    const lines: HistoryLine[] = [];
    const adapter = recordHistory(store, { process: "w1", write: (line) => void lines.push(line), reads: false });
    const ports = await right(adapter.open());
    const topic = await right(ports.log.ensureTopic({ name: "in", partitions: 1, defaultPartitions: 1 }));
    await right(ports.log.append(append(topic, ["a"])));
    const { records } = await right(() =>
      ports.log.reader(topic, 0, BEFORE_FIRST).next({ maxRecords: 9, maxBytes: 99 }),
    );
    expect(records).toHaveLength(1);
    expect(lines.map(({ _tag }) => _tag)).toEqual(["invoke", "ok"]);
  });
});

const never = (): never => {
  throw new Error("not called");
};

describe("an event", () => {
  it("is written with its counters, and without what a handler may have put into it", () => {
    expect(eventLine("w1", 5, { _tag: "Committed", task: "g/in/0", offset: "1-0/0", records: 2, outputs: 3 })).toEqual({
      _tag: "event",
      ...head,
      event: "Committed",
      task: "g/in/0",
      offset: "1-0/0",
      records: 2,
      outputs: 3,
    });
    expect(eventLine("w1", 5, { _tag: "Gap", task: "g/in/0", lost: 2 })).toMatchObject({ event: "Gap", lost: 2 });
    expect(eventLine("w1", 5, { _tag: "Skipped", task: "g/in/0", node: "map", id: "1", error: "secret" })).toEqual({
      _tag: "event",
      ...head,
      event: "Skipped",
      task: "g/in/0",
    });
    expect(eventLine("w1", 5, { _tag: "Finished", group: "g" })).toMatchObject({ task: null });
  });
});
