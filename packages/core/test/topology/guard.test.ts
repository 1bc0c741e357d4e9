import { filter, flatMap, HandlerError, type MillraceError, map, tap } from "@millrace/core";
import * as fc from "fast-check";
import type { OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Failures, Verdict } from "../../src/topology/failure.ts";
import { guarded } from "../../src/topology/guard.ts";
import { unfold } from "../../src/topology/operator.ts";
import { NO_RECORD } from "../../src/topology/record.ts";
import { NO_UNIT, type Stage, type StageEnv, type StageFactory, scope, within } from "../../src/topology/stage.ts";

const failed = (cause: unknown): HandlerError => new HandlerError("map", null, cause);

interface Guarded {
  /** What was asked and what has left, in order. */
  readonly log: string[];
  readonly stage: Stage<number>;
  readonly push: (value: number, key?: string) => void;
}

/** An operator under a policy; `admit` and `decide` are what its failures say. */
function guard(
  apply: OperatorFunction<number, unknown> | StageFactory<number, unknown>,
  options: {
    readonly admit?: (key: string) => Verdict | null;
    readonly decide?: (cause: unknown) => Verdict;
    readonly down?: (value: unknown) => void;
  } = {},
): Guarded {
  const log: string[] = [];
  const failures: Failures = {
    decideResult: () => {},
    admit: ({ key }) => options.admit?.(key) ?? null,
    decide: (cause, { record, attempts }) => {
      log.push(`decide ${(cause as Error).message} ${record.key} ${attempts}`);
      return options.decide?.(cause) ?? { kind: "skip" };
    },
    settle: (value, verdict) => log.push(`settle ${String(value)} ${verdict?.kind ?? "processed"} ${scope.record.key}`),
  };
  const [spec] = "length" in apply && apply.length === 2 ? [null] : unfold(apply as OperatorFunction<number, unknown>);
  const factory = spec?.stage ?? (apply as StageFactory<number, unknown>);
  const env: StageEnv = {
    node: "map",
    clock: { now: () => 0, after: () => () => {} },
    failure: (cause) => failed(cause),
    failures: null,
    fail: (error) => log.push(`fail ${String(error)}`),
    again: () => {},
    resumes: false,
    store: null,
    updates: null,
    side: null,
    identity: "test",
    queues: () => {},
    retried: () => {},
    late: () => {},
    task: { topic: "t", partition: 0 },
    inTask: true,
  };
  const down: Stage<unknown> = {
    next: (value) => {
      log.push(`next ${String(value)}`);
      options.down?.(value);
    },
    watermark: (timeMs) => log.push(`time ${timeMs}`),
    complete: () => log.push("complete"),
    stop: () => log.push("stop"),
  };
  const stage = guarded(factory, failures)(down, env);
  return {
    log,
    stage,
    push: (value, key = "k") => within({ ...NO_RECORD, key }, NO_UNIT, () => stage.next(value)),
  };
}

/** What has failed behind an operator; `null`: nothing. */
function causeOf(push: () => void): unknown {
  try {
    push();
  } catch (error) {
    return (error as HandlerError).cause;
  }
  return null;
}

const refuses = (bad: number) => (n: number) => {
  if (n === bad) {
    throw new Error(`no ${n}`);
  }
  return n;
};

describe("an operator under a policy", () => {
  it("settles what it has processed before it passes the result on", () => {
    const { log, push } = guard(map(refuses(2)));
    push(1);
    expect(log).toEqual(["settle 1 processed k", "next 1"]);
  });

  it("settles what yields nothing, too, and what yields several values once", () => {
    const none = guard(filter((n: number) => n > 5));
    none.push(1);
    expect(none.log).toEqual(["settle 1 processed k"]);
    const several = guard(flatMap((n: number) => [n, n + 1]));
    several.push(1);
    expect(several.log).toEqual(["settle 1 processed k", "next 1", "next 2"]);
  });

  it("has its failures decided about, with what was thrown itself, and passes nothing on", () => {
    for (const apply of [map(refuses(2)), tap(refuses(2)), flatMap((n: number) => [refuses(2)(n)])]) {
      const { log, push } = guard(apply);
      push(2, "key");
      push(3);
      expect(log.slice(0, 2)).toEqual(["decide no 2 key 1", "settle 2 skip key"]);
      expect(log.slice(2)).toEqual(["settle 3 processed k", "next 3"]);
    }
  });

  it("is decided about, too, where it cannot use what the function returns", () => {
    const { log, push } = guard(flatMap(() => 7 as never));
    push(1);
    expect(log[0]).toMatch(/^decide .*not iterable k 1$/);
  });

  it("never sees a value that is not admitted", () => {
    const called: number[] = [];
    const { log, push } = guard(
      map((n: number) => called.push(n)),
      { admit: (key) => (key === "parked" ? { kind: "behind" } : null) },
    );
    push(1, "parked");
    push(2, "free");
    expect(called).toEqual([2]);
    expect(log).toEqual(["settle 1 behind parked", "settle 2 processed free", "next 1"]);
  });

  it("passes failures of operators behind it on as they are: it has processed the value", () => {
    const behind = failed(new Error("behind"));
    const { log, push } = guard(
      map((n: number) => n),
      {
        down: () => {
          throw behind;
        },
      },
    );
    expect(() => push(1)).toThrow(behind);
    expect(log).toEqual(["settle 1 processed k", "next 1"]);
  });

  it("passes on what is no failure of the operator's function, though nothing has left it", () => {
    const defect = new Error("a defect");
    const broken: StageFactory<number, unknown> = (_down, _env) => ({
      next: () => {
        throw defect;
      },
      watermark: () => {},
      complete: () => {},
      stop: () => {},
    });
    const { log, push } = guard(broken);
    expect(() => push(1)).toThrow(defect);
    expect(log).toEqual([]);
  });

  it("does not take a failure of before for one of now", () => {
    let before: MillraceError | null = null;
    const odd: StageFactory<number, unknown> = (_down, env) => ({
      next: (n) => {
        before ??= env.failure(new Error(`no ${n}`), scope.record);
        throw n === 1 ? before : failed(new Error(`other ${n}`));
      },
      watermark: () => {},
      complete: () => {},
      stop: () => {},
    });
    const { log, push } = guard(odd);
    push(1);
    expect(() => push(2)).toThrow("failed");
    expect(log).toEqual(["decide no 1 k 1", "settle 1 skip k"]);
  });

  it("fails the task where its policy says so, and settles nothing", () => {
    const toFail = failed(new Error("as decided"));
    const { log, push } = guard(map(refuses(2)), {
      decide: () => {
        throw toFail;
      },
    });
    expect(() => push(2)).toThrow(toFail);
    expect(log).toEqual(["decide no 2 k 1"]);
    push(3);
    expect(log.slice(1)).toEqual(["settle 3 processed k", "next 3"]);
  });

  it("passes time, the end and the stop through", () => {
    const { log, stage } = guard(map((n: number) => n));
    stage.watermark(5);
    stage.complete();
    stage.stop();
    expect(log).toEqual(["time 5", "complete", "stop"]);
  });

  it("settles every value exactly once, whatever becomes of it, in the order of the input", () => {
    const value = fc.record({ n: fc.nat({ max: 9 }), fate: fc.constantFrom("good", "bad", "refused", "behind fails") });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), (values) => {
        const fates = values.map(({ fate }) => fate);
        const { log, push } = guard(
          map((index: number) => {
            if (fates[index] === "bad") {
              throw new Error(`no ${index}`);
            }
            return index;
          }),
          {
            admit: (key) => (key === "refused" ? { kind: "behind" } : null),
            down: (index) => {
              if (fates[index as number] === "behind fails") {
                throw failed(new Error("behind"));
              }
            },
          },
        );
        for (const [index, { fate }] of values.entries()) {
          const thrown = causeOf(() => push(index, fate));
          expect(thrown).toEqual(fate === "behind fails" ? new Error("behind") : null);
        }
        const settledAs = { good: "processed", bad: "skip", refused: "behind", "behind fails": "processed" };
        expect(log.filter((line) => line.startsWith("settle"))).toEqual(
          values.map(({ fate }, index) => `settle ${index} ${settledAs[fate]} ${fate}`),
        );
      }),
    );
  });
});
