import { DecodeError, HandlerError, MillraceError } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Offset } from "../../src/kernel/offset.ts";
import { type RestartOptions, Restarts, restartSchedule } from "../../src/runtime/restart.ts";

const at = (number: number): Offset => `${number}-0/0` as Offset;
const failed = new HandlerError("map", null, new Error("no"));
const undecodable = (number: number): DecodeError =>
  new DecodeError({ topic: "t", partition: 0, offset: at(number), raw: "", issues: [] });
const restarts = (options: RestartOptions = {}): Restarts => new Restarts(restartSchedule(options));

describe("the options of restarts", () => {
  it("say as often as it takes, after 250 ms to 30 s, by default", () => {
    expect(restartSchedule({})).toEqual({
      attempts: Number.POSITIVE_INFINITY,
      firstPauseMs: 250,
      longestPauseMs: 30_000,
    });
  });

  it("count restarts, of which the first start is none", () => {
    expect(restartSchedule({ attempts: 0 }).attempts).toBe(1);
    expect(restartSchedule({ attempts: 3, backoff: "1 s", longest: "1 minute" })).toEqual({
      attempts: 4,
      firstPauseMs: 1_000,
      longestPauseMs: 60_000,
    });
  });

  it.each([-1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, "3", null])("refuse %s attempts", (attempts) => {
    expect(() => restartSchedule({ attempts: attempts as number })).toThrow(
      expect.objectContaining({
        _tag: "InvalidOption",
        message: expect.stringContaining("restart: attempts"),
      }) as Error,
    );
  });

  it.each(["backoff", "longest"])("refuse a %s that is no duration", (name) => {
    expect(() => restartSchedule({ [name]: "soon" })).toThrow(
      expect.objectContaining({ _tag: "InvalidOption", message: expect.stringContaining(name) }) as Error,
    );
  });
});

describe("a task that fails", () => {
  it("at the same place starts again after pauses that double, less up to a half, up to the longest", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (failures) => {
        const counted = restarts({ backoff: "100 ms", longest: "5 s" });
        for (let n = 0; n < failures; n += 1) {
          const pauseMs = counted.pauseBeforeNext(failed, at(5));
          const full = Math.min(5_000, 100 * 2 ** n);
          expect(pauseMs).toBeGreaterThanOrEqual(full / 2);
          expect(pauseMs).toBeLessThanOrEqual(full);
          expect(counted.count).toBe(n + 1);
        }
      }),
    );
  });

  it("does so as often as was said, and says before the last failure that the next is the last", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), (attempts) => {
        const counted = restarts({ attempts });
        for (let n = 0; n < attempts; n += 1) {
          expect(counted.isUsedUp).toBe(false);
          expect(counted.pauseBeforeNext(failed, at(5))).not.toBeNull();
        }
        expect(counted.isUsedUp).toBe(true);
        expect(counted.pauseBeforeNext(failed, at(5))).toBeNull();
      }),
    );
  });

  it("further on begins to count anew; further back, where the store has lost commits, it does not", () => {
    const counted = restarts({ attempts: 2 });
    const counts = [5, 5, 6, 6, 4, 6].map((number) => {
      counted.pauseBeforeNext(failed, at(number));
      return counted.count;
    });
    expect(counts).toEqual([1, 2, 1, 2, 3, 1]);
  });

  it("at an entry that does not decode counts where that lies, not where the run had begun", () => {
    const counted = restarts({ attempts: 2 });
    const begun = [0, 9, 9];
    expect(begun.map((from) => counted.pauseBeforeNext(undecodable(10), at(from)) !== null)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each(["NativeOperatorError", "InvalidOperator", "InvalidPipeline", "InvalidOption", "StateMismatch"] as const)(
    "with %s does not start again: every start would repeat it",
    (tag) => {
      const cause = new MillraceError(tag, "wrong");
      expect(restarts().pauseBeforeNext(new HandlerError("map", null, cause), at(1))).toBeNull();
      expect(restarts().pauseBeforeNext(cause, at(1))).toBeNull();
    },
  );

  it("with a failure of an operator, a codec, or of what it wrote, does", () => {
    const causes = [
      new Error("no"),
      null,
      "text",
      new MillraceError("EncodeError", "x"),
      new MillraceError("ParkedKeysLimit", "x"),
    ];
    for (const cause of causes) {
      expect(restarts().pauseBeforeNext(new HandlerError("map", null, cause), at(1))).not.toBeNull();
    }
    expect(restarts().pauseBeforeNext(undecodable(1), at(1))).not.toBeNull();
  });

  it("because of the store, or of something that is no error of Millrace, does not", () => {
    expect(restarts().pauseBeforeNext(new MillraceError("Closed", "x"), at(1))).toBeNull();
    expect(restarts().pauseBeforeNext(new Error("a defect"), at(1))).toBeNull();
  });
});
