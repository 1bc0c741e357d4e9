/** I4 to I11: the least that breaks each, and what lies next to that and does not. */
import type { HistoryLine, Invariant, ReadLine } from "@millrace/testing/history";
import { describe } from "vitest";
import { type Case, good, LOSS, lastOf, later, OUT, testCases, trimmed, withLog } from "./support/cases.ts";
import { edited, found, inserted } from "./support/edits.ts";

/** A loss in front of everything else. */
const EARLY_LOSS: HistoryLine = { _tag: "loss", fromMs: -10, untilMs: -5 };

/** A read that brought a record more. */
function withGoneRecord(line: HistoryLine): Partial<ReadLine> {
  const gone = { key: "a", payload: "x", offset: "99-0/0", timestampMs: 0 };
  return { records: line._tag === "read" ? [...line.records, gone] : [] };
}

const CASES: Readonly<Partial<Record<Invariant, Readonly<Record<string, Case>>>>> = {
  I4: {
    "an owner that finds less than was acknowledged": {
      broken: edited(good(), ["ok acquire", 1], { sequence: 0, offset: "0-0/0", processed: 0 }),
      says: "whoever acquired app.copy/in/0 found 0 commits, up to 0-0/0 (0 records), and commit 0 up to 2-0/0 (2 records) had been acknowledged",
      right: edited([LOSS, ...good()], ["ok acquire", 1], { sequence: 0, offset: "0-0/0", processed: 0 }),
    },
    "a commit that goes back": {
      broken: edited(good(), ["invoke commit", 1], { offset: "1-0/0", processed: 1 }),
      says: "commit 1 of app.copy/in/0 goes back to 1-0/0 (1 records), from 2-0/0 (2 records)",
      right: edited(good(), ["invoke commit", 1], { offset: "2-0/0", processed: 2 }),
    },
    "an end in front of the last commit": {
      broken: edited(good(), ["position", 0], { offset: "3-0/0", processed: 3 }),
      says: "app.copy/in/0 is at 3-0/0 (3 records), 3 commits, in the end, and commit 2 up to 6-0/0 (4 records) had been acknowledged",
      right: good(),
    },
  },
  I5: {
    "a commit of an owner that is none any more": {
      broken: edited(good(), ["invoke commit", 1], { nonce: "n1", process: "w1", call: 99 }).flatMap((line) =>
        line._tag === "ok" && line.op === "commit" && line.process === "w2" && line.call === 3
          ? [{ ...line, process: "w1", call: 99 }]
          : [line],
      ),
      says: "commit 1 of app.copy/in/0 counted with the nonce n1, though w2 had acquired it before (nonce n2, 1 commits)",
      right: good(),
    },
    "two commits under one number": {
      broken: edited(good(), ["invoke commit", 1], { sequence: 0 }),
      says: "two commits of app.copy/in/0 counted under the number 0",
      right: edited([LOSS, ...good()], ["invoke commit", 1], { sequence: 0 }),
    },
    "a nonce that nobody was given": {
      broken: edited(good(), ["invoke commit", 0], { nonce: "x" }),
      says: "commit 0 of app.copy/in/0 counted with the nonce x, which nobody was given",
      right: edited(edited(good(), ["invoke commit", 0], { nonce: "x" }), ["ok acquire", 0], { nonce: "x" }),
    },
    "a generation that falls": {
      broken: edited(good(), ["invoke acquire", 1], { generation: 0 }),
      says: "app.copy/in/0 was acquired at generation 0, behind 1",
      right: edited(good(), ["invoke acquire", 1], { generation: 1 }),
    },
    "a commit that was repeated as another one": {
      broken: edited(good(), ["invoke commit", -1], { processed: 5 }),
      says: "commit 2 of app.copy/in/0, nonce n2, was sent again as another commit",
      right: good(),
    },
  },
  I6: {
    "an output of an accepted commit that is not there": {
      broken: withLog(good(), OUT, (records) => records.slice(1)),
      says: "an output of commit 0 of app.copy/in/0 (key a) was accepted and is not in out/0",
      right: edited(
        withLog(good(), OUT, (records) => records.slice(1)),
        ["ok commit", 0],
        { _tag: "fail", error: "Full" },
      ).filter((line) => line._tag !== "ok" || line.op !== "acquire" || line.sequence === 0),
    },
    "a store that lacks what was committed": {
      broken: edited(good(), ["state", 0], { entries: [["a", "3"]] }),
      says: "the store counts of app.copy/in/0 does not hold under b what its commits say",
      right: edited(good(), ["state", 0], {
        entries: [
          ["b", "1"],
          ["a", "3"],
        ],
      }),
    },
    "a function that counts wrongly": {
      broken: edited(good(), ["state", 0], {
        entries: [
          ["a", "2"],
          ["b", "1"],
        ],
      }),
      says: "the store counts of app.copy/in/0 does not hold under a what the processed records leave",
      right: good(),
    },
    "an output that follows from nothing": {
      broken: withLog(good(), OUT, (records) => [...records, { ...lastOf(records), payload: "x", offset: "99-0/0" }]),
      says: "out/0 99-0/0 (key a) follows from nothing in what app.copy has processed of in",
      right: good(),
    },
  },
  I7: {
    "a commit that jumps over a record": {
      broken: edited(good(), ["invoke commit", 1], { offset: "6-0/0" }),
      says: "commit 1 of app.copy/in/0 is at 6-0/0 with 3 records processed, and up to there lie 4",
      right: edited(good(), ["invoke commit", 1], { offset: "6-0/0", processed: 4 }),
    },
    "a number that nobody has sent": {
      broken: edited(edited(good(), ["ok acquire", 1], { sequence: 5 }), ["position", 0], { sequence: 5 }),
      says: "whoever acquired app.copy/in/0 found 5 commits, and nobody has sent commit 4",
      right: good(),
    },
    "a reader that is not given a record": {
      broken: edited(good(), ["read", 0], (line) => ({ records: line._tag === "read" ? line.records.slice(1) : [] })),
      says: "reader 1 of w1 was given in/0 2-0/0 behind 0-0/0, without 1-0/0",
      right: edited(good(), ["read", 0], (line) => ({
        after: "1-0/0",
        records: line._tag === "read" ? line.records.slice(1) : [],
      })),
    },
  },
  I8: {
    "an output of a commit that was refused": {
      broken: edited(good(), ["ok commit", 1], { _tag: "fail", error: "Fenced" }),
      says: "an output of commit 1 of app.copy/in/0 (key a) was refused and is in out/0",
      right: edited(good(), ["ok commit", 1], { _tag: "info", error: "Unavailable" }),
    },
    "a record that is gone again": {
      broken: edited(good(), ["read", 0], withGoneRecord),
      says: "w1 was given in/0 99-0/0 (key a), which is not there in the end",
      right: edited([LOSS, ...good()], ["read", 0], withGoneRecord),
    },
    "a record that is gone, and was not asked for before it was lost": {
      broken: edited([EARLY_LOSS, ...good()], ["read", 0], withGoneRecord),
      says: "w1 was given in/0 99-0/0 (key a), which is not there in the end",
      right: edited([EARLY_LOSS, ...good()], ["read", 0], (line) => ({ ...withGoneRecord(line), askedMs: -6 })),
    },
    "a value of a store that is too old": {
      broken: edited(good(), ["ok state", 1], { entries: [["b", "1"]] }),
      says: "w2 found nothing under a in the store counts of app.copy/in/0, which was so neither behind 1 commits nor later, up to 1",
      right: edited(good(), ["ok state", 1], { entries: [["b", "1"]], isWhole: false }),
    },
  },
  I9: {
    "more dropped than was processed": {
      broken: edited(trimmed(4), ["position", 0], { offset: "3-0/0", processed: 3 }),
      says: "4 records of in/0 were dropped, and app.copy/in/0 had processed 3",
      right: trimmed(4),
    },
    "a trim that came too early": {
      broken: inserted(good(), ["invoke commit", 1], {
        _tag: "trim",
        topic: "in",
        partition: 0,
        incarnation: "i1",
        atMs: 25,
        trimmed: 3,
      }),
      says: "3 records of in/0 were dropped when app.copy/in/0 could not have processed more than 2",
      right: inserted(good(), ["ok commit", 1], {
        _tag: "trim",
        topic: "in",
        partition: 0,
        incarnation: "i1",
        atMs: 25,
        trimmed: 3,
      }),
    },
  },
  I10: {
    "a task that stands still": {
      broken: later(good(), 100),
      says: "app.copy/in/0 stood still for 107 ms behind record 0, with more to process: 50 ms are allowed",
      right: inserted(later(good(), 100), ["invoke acquire", 0], {
        _tag: "fault",
        kind: "freeze",
        victim: "w1",
        fromMs: 3,
        untilMs: 103,
      }),
    },
  },
  I11: {
    "a commit of which another number is told": {
      broken: edited(good(), ["event", 0], { records: 3 }),
      says: "w1 reported commit 0 of app.copy/in/0 with records 3, not 2",
      right: good(),
    },
    "a commit that nobody has accepted": {
      broken: inserted(good(), ["end", 0], found(good(), "event", 2)),
      says: "w2 reported a commit of app.copy/in/0 up to 6-0/0, which nobody has accepted",
      right: good(),
    },
    "a loss that nobody has declared": {
      broken: inserted(good(), ["end", 0], { ...found(good(), "event", 2), event: "Regressed" }),
      says: "w2 reported Regressed of app.copy/in/0, and no loss was declared",
      right: [LOSS, ...inserted(good(), ["end", 0], { ...found(good(), "event", 2), event: "Regressed" })],
    },
  },
};

describe("a broken history", () => {
  for (const [invariant, cases] of Object.entries(CASES)) {
    testCases(invariant as Invariant, cases);
  }
});
