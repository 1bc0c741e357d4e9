/** The contents of a store as lines, and a zombie between them and the calls. */
import { type Adapter, BEFORE_FIRST, type Ports, portError } from "@millrace/core";
import { checkHistory, contentsOf, touchedBy, type Violation } from "@millrace/testing/history";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { append, GROUP, record, recorded, right } from "./support/recorded.ts";

describe("the contents of a store", () => {
  it("are told for all that the calls of a history name, page by page", async () => {
    const { ports, topic, lines, store } = await recorded();
    const task = { group: GROUP, topic, partition: 0 };
    const payloads = Array.from({ length: 1_500 }, (_, n) => `${n}`);
    await right(ports.log.append(append(topic, payloads)));
    const { nonce } = await right(ports.tasks.acquire(task, 1));
    const state = [{ store: "s", puts: [["x", "1"] as const], deletes: [] }];
    const commit = {
      task,
      nonce,
      sequence: 0,
      offset: BEFORE_FIRST,
      processed: 0,
      outputs: [],
      state,
      time: "",
      watermarks: [],
    };
    await right(ports.tasks.commit(commit));
    const contents = await contentsOf(store, touchedBy(lines));
    expect(contents.map(({ _tag }) => _tag)).toEqual(["partition", "log", "log", "position", "state"]);
    const logs = contents.filter((line) => line._tag === "log");
    expect(logs.flatMap(({ records }) => records.map(({ payload }) => payload))).toEqual(payloads);
    expect(contents.at(0)).toMatchObject({ appended: 1_500, held: 1_500 });
    expect(contents.at(-2)).toMatchObject({ group: GROUP, sequence: 1, processed: 0 });
    expect(contents.at(-1)).toMatchObject({ store: "s", entries: [["x", "1"]] });
    expect(checkHistory([...lines, ...contents]).violations).toEqual([]);
  });

  it("name the record that a dead letter is of", async () => {
    const { ports, topic, store } = await recorded();
    const source = { group: GROUP, topic: "in", partition: 0, offset: "1-0/0" };
    const letter = {
      ...record("x"),
      headers: { "millrace.dead-letter": JSON.stringify({ v: 1, ...source, errors: [] }) },
    };
    const other = { ...record("y"), headers: { "millrace.dead-letter": "no JSON" } };
    await right(ports.log.append({ ...append(topic, []), records: [letter, other] }));
    const contents = await contentsOf(store, { topics: ["in"], tasks: [], stores: [] });
    const [first, second] = contents.flatMap((line) => (line._tag === "log" ? line.records : []));
    expect(first?.letter).toEqual(source);
    expect(second).not.toHaveProperty("letter");
  });

  it("reject where the store cannot be read", async () => {
    const down: Adapter = { name: "down", open: () => async () => E.left(portError("Unavailable", "down")) };
    await expect(contentsOf(down, { topics: [], tasks: [], stores: [] })).rejects.toThrow("down");
  });
});

/** A store that takes a commit with any nonce. */
function takingAnyNonce(ports: Ports): Ports {
  let last = "";
  return {
    ...ports,
    close: () => ports.close(),
    tasks: {
      acquire: (task, generation) => async () => {
        const result = await ports.tasks.acquire(task, generation)();
        last = E.isRight(result) ? result.right.nonce : last;
        return result;
      },
      commit: (commit) => () => ports.tasks.commit({ ...commit, nonce: last })(),
      positions: (tasks) => ports.tasks.positions(tasks),
    },
  };
}

describe("the history of a zombie", () => {
  async function zombie(change?: (ports: Ports) => Ports): Promise<readonly Violation[]> {
    const { ports, topic, lines, store } = await recorded(change);
    const task = { group: GROUP, topic, partition: 0 };
    await right(ports.log.append(append(topic, ["a"])));
    const first = await right(ports.tasks.acquire(task, 1));
    await right(ports.tasks.acquire(task, 2));
    const { partitions } = await right(ports.log.times(topic));
    const offset = partitions[0]?.end ?? BEFORE_FIRST;
    const { nonce } = first;
    await ports.tasks.commit({
      task,
      nonce,
      sequence: 0,
      offset,
      processed: 1,
      outputs: [],
      state: [],
      time: "",
      watermarks: [],
    })();
    return checkHistory([...lines, ...(await contentsOf(store, touchedBy(lines)))]).violations;
  }

  it("has no violation where the store refuses its commit", async () => {
    expect(await zombie()).toEqual([]);
  });

  it("violates I5 where the store takes its commit", async () => {
    const violations = await zombie(takingAnyNonce);
    expect(violations.map(({ invariant }) => invariant)).toEqual(["I5"]);
  });
});
