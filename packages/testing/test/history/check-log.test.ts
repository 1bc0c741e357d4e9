/** Form, and I1 to I3: the least that breaks each, and what lies next to that and does not. */
import { checkHistory, INVARIANTS, type Invariant } from "@millrace/testing/history";
import { describe, expect, it } from "vitest";
import {
  type Case,
  exchanged,
  expectations,
  good,
  IN,
  LOSS,
  lastOf,
  OUT,
  testCases,
  withLog,
} from "./support/cases.ts";
import { edited, found, inserted, without } from "./support/edits.ts";
import { GROUP } from "./support/story.ts";

describe("a history without a fault", () => {
  it("violates nothing, and everything is judged", () => {
    expect(checkHistory(good(), expectations)).toEqual({ violations: [], judged: INVARIANTS, notJudged: [] });
  });
});

const CASES: Readonly<Partial<Record<Invariant, Readonly<Record<string, Case>>>>> = {
  form: {
    "an outcome without a beginning": {
      broken: without(good(), ["invoke append", 0]),
      says: "call producer-0#1 has an outcome and no beginning",
      right: without(without(good(), ["invoke append", 0]), ["ok append", 0]),
    },
    "two outcomes": {
      broken: inserted(good(), ["ok append", 0], found(good(), "ok", 0)),
      says: "call producer-0#1 has two outcomes",
      right: good(),
    },
    "time that steps back": {
      broken: edited(good(), ["ok append", 0], { atMs: 0 }),
      says: "the time of producer-0 steps back from 1 to 0",
      right: edited(good(), ["ok append", 0], { atMs: 1 }),
    },
    "a log that is not whole": {
      broken: edited(good(), ["partition", IN], { appended: 5, held: 5 }),
      says: "the lines of in/0 hold 4 records, and it has 5",
      right: edited(good(), ["partition", IN], { appended: 5, held: 4 }),
    },
  },
  I1: {
    "an acknowledged record that is not there": {
      broken: withLog(good(), IN, (records) => records.slice(0, 3)),
      says: "record 3 of producer p (key a) was acknowledged and is not in in/0",
      right: withLog([LOSS, ...good()], IN, (records) => records.slice(0, 3)),
    },
    "an acknowledged record that is not there, and was acknowledged before the store lost anything": {
      broken: withLog([{ _tag: "loss", fromMs: 1_000, untilMs: 2_000 }, ...good()], IN, (records) =>
        records.slice(0, 3),
      ),
      says: "record 3 of producer p (key a) was acknowledged and is not in in/0",
      right: withLog([{ _tag: "loss", fromMs: 16, untilMs: 2_000 }, ...good()], IN, (records) => records.slice(0, 3)),
    },
    "a record that was stored twice": {
      broken: withLog(good(), IN, (records) => [...records, { ...lastOf(records), offset: "99-0/0" }]),
      says: "a record (key a) is in in/0 2 times, and was asked for 1 times",
      right: good(),
    },
    "a record that nobody has sent": {
      broken: withLog(good(), IN, (records) => [...records, { ...lastOf(records), payload: "x", offset: "99-0/0" }]),
      says: "in/0 has a record at 99-0/0 (key a), and nobody has ever asked for it",
      right: good(),
    },
    "another record under the same number": {
      broken: edited(good(), ["invoke append", 2], { records: [{ key: "a", payload: "b" }] }),
      says: "record 3 of producer p (key a) was sent again as another record",
      right: good(),
    },
  },
  I2: {
    "an output that is lost": {
      broken: withLog(good(), OUT, (records) => records.slice(1)),
      says: "in/0 1-0/0 (key a, in commit 0 by w1) was processed by app.copy, and what it leads to is in out 0 times, not 1",
      right: withLog(
        withLog(good(), OUT, (records) => records.slice(1)),
        IN,
        (records) => [
          ...records,
          {
            ...lastOf(records),
            offset: "99-0/0",
            letter: { group: GROUP, topic: "in", partition: 0, offset: "1-0/0" },
          },
        ],
      ).filter((line) => line._tag !== "position" || line.processed === 4),
    },
    "an output that is there twice": {
      broken: withLog(good(), OUT, (records) => [...records, { ...lastOf(records), offset: "99-0/0" }]),
      says: "what in/0 6-0/0 (key a, in commit 2 by w2) leads to is in out 2 times, not 1",
      right: good(),
    },
    "an output of a record that is not processed": {
      broken: edited(good(), ["position", 0], { offset: "3-0/0", processed: 3, sequence: 2 }),
      says: "in/0 6-0/0 (key a, in commit 2 by w2) was not processed by app.copy, and what it leads to is in out",
      right: good(),
    },
    "a record that was left": {
      broken: edited(good(), ["position", 0], { offset: "3-0/0", processed: 3 }),
      says: "1 records of in/0 were not processed by app.copy/in/0",
      right: good(),
    },
  },
  I3: {
    "records of a producer that changed places": {
      broken: withLog(good(), IN, exchanged),
      says: "in in/0, record 1 of producer p (key b) lies in front of record 0 of producer p (key a)",
      right: edited(withLog(good(), IN, exchanged), ["invoke append", 0], {
        records: ["b2", "a1", "a3"].map((payload) => ({ key: payload.slice(0, 1), payload })),
      }),
    },
    "outputs of a key that changed places": {
      broken: withLog(good(), OUT, ([a, b, ...rest]) => {
        const [third, ...others] = rest;
        return a === undefined || b === undefined || third === undefined
          ? []
          : [{ ...third, offset: a.offset }, b, { ...a, offset: third.offset }, ...others];
      }),
      says: "in out/0, what in/0 1-0/0 led to comes behind what in/0 3-0/0 led to (key a)",
      right: good(),
    },
  },
};

describe("a broken history", () => {
  for (const [invariant, cases] of Object.entries(CASES)) {
    testCases(invariant as Invariant, cases);
  }
});
