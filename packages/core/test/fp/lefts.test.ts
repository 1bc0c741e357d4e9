/** Who decides about which failure, whatever the decisions are. */
import { MillraceError } from "@millrace/core";
import { LeftError, type OnLeft } from "@millrace/core/fp";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LeftDecision, Lefts } from "../../src/fp/lefts.ts";
import type { FailureDecision, OnError } from "../../src/topology/failure.ts";
import { NO_RECORD } from "../../src/topology/record.ts";

const decision = fc.constantFrom<FailureDecision[]>("fail", "quarantine", "skip", "deadLetter", "park");
const leftDecision = fc.oneof(decision, fc.constant<"retry">("retry"));
/** As a literal, or as a function that answers it. */
const either = <D>(made: fc.Arbitrary<D>): fc.Arbitrary<D | (() => D)> =>
  fc.oneof(
    made,
    made.map((d) => () => d),
  );
const answerOf = (given: unknown): unknown => (typeof given === "function" ? given() : given);

const policy = fc.record({ onLeft: either(leftDecision), onError: either(decision), onExhausted: decision });

/** What the plain operator decides, asked as it asks. */
function decide(onError: OnError, error: unknown): FailureDecision {
  return typeof onError === "function" ? onError(error, NO_RECORD) : onError;
}

function leftsWith(onLeft: OnLeft<string, LeftDecision>): Lefts<string> {
  return new Lefts("op", { onLeft, onError: undefined, onExhausted: undefined, retry: { repeatsDefects: true } });
}

describe("the Lefts of an operator", () => {
  it("are decided about by onLeft, at the last attempt by onExhausted; defects by onError", () => {
    fc.assert(
      fc.property(policy, fc.string(), ({ onLeft, onError, onExhausted }, left) => {
        const lefts = new Lefts("op", { onLeft, onError, onExhausted, retry: { repeatsDefects: true } });
        const error = lefts.errorOf(left, NO_RECORD);
        const wanted = answerOf(onLeft);
        expect(lefts.repeats(error)).toBe(wanted === "retry");
        expect(decide(lefts.onError, error)).toBe(wanted === "retry" ? onExhausted : wanted);
        expect(lefts.repeats(new Error(left))).toBeNull();
        expect(decide(lefts.onError, new Error(left))).toBe(answerOf(onError));
      }),
    );
  });

  it("cost a policy only where Lefts and defects may end differently", () => {
    fc.assert(
      fc.property(decision, (same) => {
        const of = (onLeft: LeftDecision) =>
          new Lefts("op", { onLeft, onError: same, onExhausted: same, retry: { repeatsDefects: true } });
        expect([of(same).onError, of("retry").onError]).toEqual([same, same]);
      }),
    );
  });

  it("fail the task by default, and so do defects", () => {
    const lefts = new Lefts("op", { onLeft: undefined, onError: undefined, onExhausted: undefined, retry: null });
    expect(lefts.onError).toBe("fail");
  });

  it("are decided about once each, with the left and its record", () => {
    const asked: unknown[] = [];
    const lefts = leftsWith((left, record) => {
      asked.push([left, record]);
      return "skip";
    });
    const error = lefts.errorOf("no", NO_RECORD);
    expect(error.left).toBe("no");
    for (const _ of [1, 2]) {
      expect([lefts.repeats(error), decide(lefts.onError, error)]).toEqual([false, "skip"]);
    }
    expect(asked).toEqual([["no", NO_RECORD]]);
  });

  it("are their own: the same kind of error from anywhere else is a defect", () => {
    const [mine, other] = [leftsWith("skip"), leftsWith("skip")];
    for (const foreign of [new LeftError("no"), other.errorOf("no", NO_RECORD), "no", null, undefined]) {
      expect([mine.repeats(foreign), decide(mine.onError, foreign)]).toEqual([null, "fail"]);
    }
  });

  it("count also where the call's timeout takes their place, but not where the task was given up", () => {
    const lefts = leftsWith("skip");
    const [late, given] = [new AbortController(), new AbortController()];
    const timeout = new MillraceError("HandlerTimeout", "too long");
    late.abort(timeout);
    given.abort();
    lefts.errorOf("no", NO_RECORD, late.signal);
    lefts.errorOf("no", NO_RECORD, given.signal);
    expect(decide(lefts.onError, timeout)).toBe("skip");
    expect(decide(lefts.onError, given.signal.reason)).toBe("fail");
  });

  it("are not decided about before somebody asks", () => {
    const lefts = leftsWith(() => {
      throw new RangeError("boom");
    });
    const error = lefts.errorOf("no", NO_RECORD);
    expect(() => lefts.repeats(error)).toThrow("boom");
    expect(() => decide(lefts.onError, error)).toThrow("boom");
  });

  it.each<[string, () => LeftDecision, RegExp]>([
    ["is no decision", () => "ignore" as LeftDecision, /^op: onLeft must answer .*"retry", not "ignore"/],
    ["is a promise of one", () => Promise.resolve("skip") as never, /not a value of type object/],
    ["is a repetition that nothing schedules", () => "retry", /^op: onLeft answered "retry", and there is no retry/],
  ])("are a mistake of the program where the answer of onLeft %s", (_what, onLeft, message) => {
    const lefts = new Lefts("op", { onLeft, onError: "skip", onExhausted: undefined, retry: null });
    const ask = (): unknown => decide(lefts.onError, lefts.errorOf("no", NO_RECORD));
    expect(ask).toThrow(MillraceError);
    expect(ask).toThrow(message);
  });
});
