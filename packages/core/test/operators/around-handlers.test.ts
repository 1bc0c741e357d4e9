/** `around` at operators that wait for promises. */
import { type AroundHandler, around, asRecords, flatMapOrdered, mapOrdered, mapUnordered } from "@millrace/core";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { kindsOf } from "../support/plan.ts";
import { type Order, orderOf, orders } from "../support/topics.ts";

const boom = new RangeError("boom");

/** A handler that notes how each call begins and ends. */
function noting(): { readonly log: string[]; readonly handler: AroundHandler } {
  const log: string[] = [];
  const handler: AroundHandler = async (next, { operator, record, attempt }) => {
    log.push(`> ${operator} ${record.key} ${attempt}`);
    try {
      const result = await next();
      log.push(`< ${String(result)}`);
      return result;
    } catch (error) {
      log.push(`! ${(error as Error).message}`);
      throw error;
    }
  };
  return { log, handler };
}

const input = (...customers: readonly string[]): rx.Observable<Order> =>
  rx.from(customers.map((customer) => orderOf({ customer }))).pipe(asRecords(orders));

const all = <A>(source: rx.Observable<A>): Promise<A[]> => rx.lastValueFrom(source.pipe(rx.toArray()));

describe("a handler around an operator that waits", () => {
  async function upper({ customer }: Order): Promise<string> {
    return customer.toUpperCase();
  }

  it.each([
    ["mapOrdered upper", mapOrdered(upper), ["A", "B"]],
    ["mapUnordered upper", mapUnordered(upper), ["A", "B"]],
    ["mapOrdered named", mapOrdered(upper, { name: "named" }), ["A", "B"]],
    ["flatMapOrdered upper", flatMapOrdered(upper), ["A", "B"]],
  ])("goes around each call of %s until its promise is settled, and changes no result", async (name, op, results) => {
    const { log, handler } = noting();
    expect(kindsOf(around(handler)(op))).toEqual(kindsOf(op));
    expect(await all(input("a", "b").pipe(around(handler)(op)))).toEqual(results);
    expect(log).toEqual([`> ${name} a 1`, `> ${name} b 1`, "< A", "< B"]);
  });

  it("goes around repetitions, too, each with its attempt", async () => {
    const { log, handler } = noting();
    const failing = mapOrdered(
      async ({ customer }: Order, _record, { attempt }) => {
        if (attempt < 3) {
          throw boom;
        }
        return customer;
      },
      { retry: { attempts: 3, backoff: "0 s" } },
    );
    expect(await all(input("a").pipe(around(handler)(failing)))).toEqual(["a"]);
    expect(log).toEqual(["> mapOrdered a 1", "! boom", "> mapOrdered a 2", "! boom", "> mapOrdered a 3", "< a"]);
  });

  it("fails the call with what it rejects with, or throws; that is repeated like any failure", async () => {
    const seen: number[] = [];
    const failing: AroundHandler = (next, { attempt }) => {
      seen.push(attempt);
      if (attempt === 1) {
        throw boom;
      }
      return next();
    };
    const op = mapOrdered(upper, { retry: { attempts: 2, backoff: "0 s" } });
    expect(await all(input("a").pipe(around(failing)(op)))).toEqual(["A"]);
    expect(seen).toEqual([1, 2]);
    await expect(all(input("a").pipe(around(failing)(mapOrdered(upper))))).rejects.toBe(boom);
  });

  it("may answer in place of the function, and may call it again", async () => {
    const saving: AroundHandler = async <R>(next: () => R): Promise<Awaited<R>> => {
      try {
        return await next();
      } catch {
        return await next();
      }
    };
    let calls = 0;
    const op = mapOrdered(async () => {
      calls += 1;
      if (calls === 1) {
        throw boom;
      }
      return calls;
    });
    expect(await all(input("a").pipe(around(saving)(op)))).toEqual([2]);
    const cached: AroundHandler = <R>(_next: () => R): R => Promise.resolve("cached") as R;
    expect(await all(input("a", "b").pipe(around(cached)(op)))).toEqual(["cached", "cached"]);
    expect(calls).toBe(2);
  });

  it("is within the timeout of the call", async () => {
    const slow: AroundHandler = async (next) => {
      const result = await next();
      await new Promise<never>(() => {});
      return result;
    };
    const op = mapOrdered(upper, { timeout: "1 ms", settle: "1 ms" });
    await expect(all(input("a").pipe(around(slow)(op)))).rejects.toMatchObject({ _tag: "HandlerTimeout" });
  });
});
