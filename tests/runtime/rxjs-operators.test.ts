import { readFileSync } from "node:fs";
import { native } from "@millrace/core";
import * as rx from "rxjs";
import * as ops from "rxjs/operators";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FAULTS, ROWS, type Row, table } from "./rxjs-operators.ts";
import { bench, rejection } from "./support/bench-top.ts";
import { type Op, plain, planOf, refusalOf, restartedAt, sendNumbers, valuesOf } from "./support/native-run.ts";

const COUNT = 10;
/** More than may be held. */
const MANY = 300;

/** Functions of RxJS that are no operators: they make Observables, or are tools. A name as in `rxjs`. */
const NO_OPERATORS = new Set(
  `animationFrames asap asapScheduler async asyncScheduler bindCallback bindNodeCallback config connectable defer empty
   firstValueFrom forkJoin from fromEvent fromEventPattern generate identity iif interval isObservable lastValueFrom never
   noop observable of pairs pipe queue queueScheduler range scheduled throwError timer using animationFrame
   animationFrameScheduler EMPTY NEVER`.split(/\s+/),
);

// Timers of RxJS; the rest of the test runs by the virtual clock.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function rows<Verdict extends Row["verdict"]>(verdict: Verdict): [string, Extract<Row, { verdict: Verdict }>][] {
  const of = (row: Row): row is Extract<Row, { verdict: Verdict }> => row.verdict === verdict;
  return ROWS.filter(of).map((row) => [row.name, row]);
}

async function expectRestart(op: Op, restart: "same" | "anew"): Promise<void> {
  for (const at of [3, 8]) {
    const { values, acknowledged } = await restartedAt(op, at, { count: COUNT, by: "crash" });
    const anew = [...plain(op, 0, acknowledged, false), ...plain(op, acknowledged, COUNT)];
    const same = plain(op, 0, COUNT);
    expect(values).toEqual(restart === "same" ? same : anew);
  }
}

/** Refused for that reason; what was written is what the acknowledged records have become. */
async function expectRefusal(
  op: Op,
  fault: keyof typeof FAULTS,
  options: Parameters<typeof refusalOf>[1] = {},
): Promise<void> {
  const strange = native("strange", op);
  const { message, acknowledged, values } = await refusalOf(strange, options);
  expect(message).toMatch(FAULTS[fault][1]);
  expect(values).toEqual(acknowledged === 0 ? [] : plain(op, 0, acknowledged, false));
}

describe("the table of RxJS's operators", () => {
  it("has every operator that RxJS exports, once, in order", () => {
    const classes = /^[A-Z]/;
    const inIndex = Object.keys(rx).filter((name) => !NO_OPERATORS.has(name) && !classes.test(name));
    const names = new Set([...Object.keys(ops), ...inIndex]);
    expect(ROWS.map(({ name }) => name)).toEqual([...names].toSorted((a, b) => (a < b ? -1 : 1)));
  });

  it("is the one in the guide", () => {
    const guide = readFileSync(new URL("../../docs/guides/rxjs-operators.md", import.meta.url), "utf8");
    expect(guide.match(/^\| operator (?:.|\n)*\|$/m)?.[0]).toBe(table());
  });
});

describe("as the table says, it is supported:", () => {
  it.each(rows("supported"))("%s", async (_name, { op, restart, later }) => {
    expect(await valuesOf(op(COUNT), COUNT)).toEqual(plain(op(COUNT), 0, COUNT));
    await expectRestart(op(COUNT), restart);
    if (later !== null) {
      await expectRefusal(later(COUNT), "late");
    }
  });
});

describe("as the table says, it is supported with what consumes its Observables, and refused without:", () => {
  it.each(rows("together"))("%s", async (_name, { front, back, sync, restart }) => {
    const both = rx.pipe(front, back as rx.OperatorFunction<unknown, unknown>);
    expect(await valuesOf(native("both", both, { sync }), COUNT)).toEqual(plain(both, 0, COUNT));
    await expectRestart(native("both", both, { sync }), restart);
    if (sync) {
      await expectRefusal(both, "late");
    }
    await expectRefusal(front, "observable");
  });
});

describe("as the table says, it is supported with stateless, and without as long as enough comes out:", () => {
  it.each(rows("stateless"))("%s", async (_name, { op, restart }) => {
    const said = (count: number): Op => native("stateless", op(count), { stateless: true });
    expect(await valuesOf(said(MANY), MANY)).toEqual(plain(op(MANY), 0, MANY));
    expect(await valuesOf(op(COUNT), COUNT)).toEqual(plain(op(COUNT), 0, COUNT));
    await expectRestart(said(COUNT), restart);
    // Where its memory begins anew with each run, what was written depends on how often it ran.
    const { message } = await refusalOf(native("strange", op(MANY)), { count: MANY });
    expect(message).toMatch(FAULTS.silent[1]);
  });
});

describe("as the table says, it is supported for small inputs only:", () => {
  it.each(rows("small"))("%s", async (_name, { op }) => {
    const said = native("small", op(COUNT));
    expect(await valuesOf(said, COUNT)).toEqual(plain(op(COUNT), 0, COUNT));
    await expectRestart(said, "same");
    await expectRefusal(op(MANY), "silent", { count: MANY });
  });
});

describe("as the table says, it is refused:", () => {
  it.each(rows("refused"))("%s", async (_name, { op, fault, waits }) => {
    const meanwhile = (): void => {
      vi.advanceTimersByTime(waits ? 10 : 0);
    };
    await expectRefusal(op(COUNT), fault, { isEnded: !waits, meanwhile });
  });
});

describe("as the table says, it changes nothing:", () => {
  it.each(rows("inert"))("%s", async (_name, { op }) => {
    const untouched = plain(rx.identity, 0, COUNT);
    const said = native("inert", (numbers: rx.Observable<number>) => op(COUNT)(numbers));
    expect(await valuesOf(said, COUNT)).toEqual(untouched);
    await expectRestart(said, "same");
    // Not even a failure in front of it.
    const top = bench();
    await sendNumbers(top, 0, COUNT, true);
    const failing = rx.map((n: number) => {
      if (n === 5) {
        throw new Error("no");
      }
      return n;
    });
    const failed = top.complete(top.app(), planOf(rx.pipe(failing, said)));
    expect(await rejection(failed)).toMatchObject({ _tag: "HandlerError" });
  });
});
