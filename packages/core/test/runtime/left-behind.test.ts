import { type PortError, type Ports, portError, type TaskRef } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { deleteStores, hasUnread, holdsEntries } from "../../src/runtime/left-behind.ts";

const TOPIC = { name: "orders", partitions: 3, incarnation: "i" };
const LYING = { store: "totals~1", source: TOPIC };
const unused = (): never => {
  throw new Error("nobody asks for this");
};

type Pages = Readonly<Record<string, readonly (readonly string[])[]>>;

/** Stores as pages of keys, by `<store>/<partition>`; a store that is not among them is empty. */
function ownerOf(pages: Pages) {
  const dropped: string[] = [];
  const asked: string[] = [];
  const scan = (
    { group, partition }: TaskRef,
    store: string,
    cursor: string | null,
  ): ReturnType<Ports["state"]["scan"]> => {
    asked.push(`${group} ${store}/${partition}`);
    const page = Number(cursor ?? 0);
    const all = pages[`${store}/${partition}`] ?? [[]];
    const entries = (all[page] ?? []).map((key) => [key, "value"] as const);
    return async () => E.right({ entries, cursor: page + 1 < all.length ? String(page + 1) : null });
  };
  const drop =
    ({ partition }: TaskRef, store: string): TaskEither<never, void> =>
    async () => {
      dropped.push(`${store}/${partition}`);
      return E.right(undefined);
    };
  const state: Ports["state"] = { scan, drop, get: unused, due: unused };
  const ports = { state, log: {} as Ports["log"], tasks: {} as Ports["tasks"] };
  return { owner: { ports, group: "app.p" }, dropped, asked };
}

describe("a store", () => {
  it("is empty when it is so in all partitions, with the one beside it", async () => {
    const { owner, asked } = ownerOf({ "totals/0": [["another store's"]] });
    expect(await holdsEntries(owner, LYING)).toBe(false);
    expect(asked.toSorted()).toEqual(
      ["totals~1/0", "totals~1/1", "totals~1/2", "totals~1~updates/0", "totals~1~updates/1", "totals~1~updates/2"].map(
        (each) => `app.p ${each}`,
      ),
    );
  });

  it.each<readonly [string, Pages]>([
    ["in the last partition", { "totals~1/2": [["k"]] }],
    ["behind empty pages", { "totals~1/0": [[], [], ["k"]] }],
    ["in the store of updates beside it", { "totals~1~updates/1": [["k"]] }],
  ])("is not empty with an entry %s", async (_, pages) => {
    expect(await holdsEntries(ownerOf(pages).owner, LYING)).toBe(true);
  });

  it("goes from all partitions, with the one beside it", async () => {
    const { owner, dropped } = ownerOf({});
    await deleteStores(owner, [LYING]);
    expect(dropped.toSorted()).toEqual([
      "totals~1/0",
      "totals~1/1",
      "totals~1/2",
      "totals~1~updates/0",
      "totals~1~updates/1",
      "totals~1~updates/2",
    ]);
  });
});

describe("a topic", () => {
  const end = (appended: number) => ({ end: "0-0/0", appended, sealed: false });
  const ownerWith = (times: E.Either<PortError, readonly number[]>, processed: readonly number[]) => {
    const { owner } = ownerOf({});
    const found = E.map((appended: readonly number[]) => ({ writers: {}, partitions: appended.map(end) }))(times);
    const log = { times: () => async () => found } as unknown as Ports["log"];
    const positions = processed.map((each) => ({ offset: "0-0/0", processed: each }));
    const tasks = { positions: () => async () => E.right(positions) } as unknown as Ports["tasks"];
    return { ...owner, ports: { ...owner.ports, log, tasks } };
  };

  it.each([
    ["nothing was ever written", [0, 0, 0], [0, 0, 0], false],
    ["all is processed", [5, 0, 7], [5, 0, 7], false],
    ["one record is not", [5, 0, 7], [5, 0, 6], true],
  ])("has unread records or not, where %s", async (_, appended, processed, expected) => {
    expect(await hasUnread(ownerWith(E.right(appended), processed), TOPIC)).toBe(expected);
  });

  it("has none when it is gone, and any other failure is told", async () => {
    expect(await hasUnread(ownerWith(E.left(portError("TopicLost", "gone")), []), TOPIC)).toBe(false);
    const refused = hasUnread(ownerWith(E.left(portError("Refused", "no")), []), TOPIC);
    await expect(refused).rejects.toMatchObject({ _tag: "Refused" });
  });
});
