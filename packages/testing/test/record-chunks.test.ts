import { BEFORE_FIRST, offsetOf, type StoredRecord } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordChunks } from "../src/memory/record-chunks.ts";

function stored(n: number): StoredRecord {
  // Sparse, as ids are.
  const appendedMs = Math.floor(n / 3) * 7 + 1;
  const offset = offsetOf(`${appendedMs}-${n % 3}`, 0);
  const written = { key: "", timestampMs: 0, payload: `${n}`, headers: {}, watermarkMs: null };
  return { ...written, offset, appendedMs, bytes: 1, problem: null };
}

describe("record chunks", () => {
  it("behaves like a list that grows at one end and shrinks at the other", () => {
    // Often more than a chunk at a time.
    const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: -1500, max: -1 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(steps, (counts) => {
        const chunks = new RecordChunks();
        let first = 0;
        let end = 0;
        for (const count of counts) {
          for (let n = 0; n < count; n++) {
            chunks.push(stored(end++));
          }
          const dropped = Array.from({ length: Math.max(0, -count) }, () => chunks.shift()?.payload);
          const there = dropped.filter((payload) => payload !== undefined);
          expect(there).toEqual(
            Array.from({ length: Math.min(dropped.length, end - first) }, (_, n) => `${first + n}`),
          );
          first += there.length;
          expect([chunks.first, chunks.end]).toEqual([first, end]);
          const samples = [first - 1, first, first + 1, Math.floor((first + end) / 2), end - 1, end];
          expect(samples.map((position) => chunks.at(position)?.payload)).toEqual(
            samples.map((position) => (position >= first && position < end ? `${position}` : undefined)),
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  it("finds the first record behind an offset, there or not", () => {
    const chunks = new RecordChunks();
    for (let n = 0; n < 100; n++) {
      chunks.push(stored(n));
    }
    for (let n = 0; n < 40; n++) {
      chunks.shift();
    }
    expect(chunks.positionAfter(BEFORE_FIRST)).toBe(40);
    expect(chunks.positionAfter(stored(10).offset)).toBe(40);
    for (let n = 40; n < 100; n++) {
      expect(chunks.positionAfter(stored(n).offset)).toBe(n + 1);
    }
    // Between two ids: 60 is the first record of its ms, so 59 is the last before it.
    expect(chunks.positionAfter(offsetOf(`${20 * 7}-9`, 0))).toBe(60);
    expect(chunks.positionAfter(offsetOf("9999999-0", 0))).toBe(100);
  });

  it("adds and drops a million records in a moment, however many it holds", () => {
    const chunks = new RecordChunks();
    const record = stored(0);
    const startMs = performance.now();
    for (let n = 0; n < 100_000; n++) {
      chunks.push(record);
    }
    for (let n = 0; n < 1_000_000; n++) {
      chunks.push(record);
      chunks.shift();
    }
    expect(chunks.end - chunks.first).toBe(100_000);
    expect(performance.now() - startMs).toBeLessThan(5000);
  });
});
