/** sinkTE in running pipelines: a Left is that of a batch, until its values are written one by one. */
import { type Pipeline, pipeline, stream } from "@millrace/core";
import { LeftError, type SinkTEOptions, sinkTE } from "@millrace/core/fp";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";
import { type Busy, letters, numbersBut, type Refused, refused, source } from "./support/fp.ts";
import { pick } from "./support/workers.ts";

/** A store that refuses some numbers, and whatever comes together with them. */
class Store {
  readonly rows: number[] = [];
  readonly calls: (readonly number[])[] = [];
  /** How often it is still busy. */
  busy = 0;
  private readonly refuses: (n: number) => boolean;

  constructor(refuses: (n: number) => boolean = () => false) {
    this.refuses = refuses;
  }

  readonly write = (values: readonly Item[]): TE.TaskEither<Refused | Busy, number> => {
    const numbers = values.map(({ n }) => n);
    this.calls.push(numbers);
    if (this.busy > 0) {
      this.busy -= 1;
      return TE.left({ _tag: "Busy" });
    }
    const bad = numbers.find((n) => this.refuses(n));
    return bad === undefined ? TE.right(this.rows.push(...numbers)) : TE.left(refused(bad));
  };
}

function planOf(store: Store, options: SinkTEOptions<Item, Refused | Busy>): Pipeline {
  return pipeline("copy", stream(source).pipe(sinkTE((values) => store.write(values), options)));
}

const isFive = (n: number): boolean => n % 5 === 0;

describe("sinkTE", () => {
  it("writes in batches what is Right", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const store = new Store();
    await top.complete(top.app(), planOf(store, { maxBatch: 7 }));
    expect(store.rows).toEqual(numbersBut(20));
    expect(Math.max(...store.calls.map(({ length }) => length))).toBe(7);
  });

  it("skips the values that are refused by themselves, and writes those that came with them", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const store = new Store(isFive);
    const onLeft = (left: Refused | Busy): "skip" | "fail" => (left._tag === "Refused" ? "skip" : "fail");
    await top.complete(top.app(), planOf(store, { onLeft }));
    expect(store.rows).toEqual(numbersBut(20, 0, 5, 10, 15));
    const errors = pick(top.events, "Skipped").map(({ error }) => error);
    expect(errors.map((error) => error instanceof LeftError && error.left)).toEqual([0, 5, 10, 15].map(refused));
  });

  it("makes dead letters of them where onLeft says so", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const store = new Store(isFive);
    await top.complete(top.app(), planOf(store, { onLeft: "deadLetter", deadLetters: { topic: "refused" } }));
    expect(store.rows).toEqual(numbersBut(20, 0, 5, 10, 15));
    const found = await letters(top, items("refused", { partitions: 1 }), 4);
    expect(found.map(([{ value }]) => value.n)).toEqual([0, 5, 10, 15]);
  });

  it("fails the task by default, and writes the batch again when it starts again", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const store = new Store();
    store.busy = 2;
    const running = await top.settle(top.app("app", { restart: {} }).run(planOf(store, {})));
    await top.settle(running.done);
    expect(store.rows).toEqual(numbersBut(20));
    expect(pick(top.events, "Restarting")).toMatchObject([
      { error: { cause: { left: { _tag: "Busy" } } } },
      { error: { cause: { left: { _tag: "Busy" } } } },
    ]);
  });

  it("calls with the same values again where onLeft says retry", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const store = new Store();
    store.busy = 2;
    const asked: string[] = [];
    const plan = planOf(store, {
      maxBatch: 8,
      retry: { attempts: 3, backoff: "1 s" },
      onLeft: (left, record) => {
        asked.push(`${left._tag} ${record.key}`);
        return "retry";
      },
    });
    await top.complete(top.app(), plan);
    expect(store.rows).toEqual(numbersBut(20));
    const [first, second, third] = store.calls;
    expect([second, third]).toEqual([first, first]);
    expect(asked).toEqual(["Busy k0", "Busy k0"]);
    expect(pick(top.events, "Retried").map(({ attempt }) => attempt)).toEqual([2, 3]);
  });

  it("leaves defects to onError", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const store = new Store();
    const boom = new RangeError("boom");
    const write = (values: readonly Item[]): TE.TaskEither<never, number> => {
      if (values.some(({ n }) => n === 7)) {
        throw boom;
      }
      return store.write(values) as TE.TaskEither<never, number>;
    };
    const onError = (defect: unknown): "skip" | "fail" => (defect === boom ? "skip" : "fail");
    await top.complete(top.app(), pipeline("copy", stream(source).pipe(sinkTE(write, { onError }))));
    expect(store.rows).toEqual(numbersBut(20, 7));
    expect(pick(top.events, "Skipped")).toMatchObject([{ error: boom }]);
  });
});
