import { murmur2, partitionOf } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

/** murmur2 once more, straight from its definition: unsigned 32-bit arithmetic in BigInt, over a Buffer. */
function murmur2OfBytes(bytes: Buffer): number {
  const m = 0x5bd1e995n;
  const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);
  let h = u32(0x9747b28cn ^ BigInt(bytes.length));
  let at = 0;
  for (; bytes.length - at >= 4; at += 4) {
    let k = u32(BigInt(bytes.readUInt32LE(at)) * m);
    k = u32((k ^ (k >> 24n)) * m);
    h = u32(h * m) ^ k;
  }
  const tail = bytes.length - at;
  if (tail > 0) {
    h = u32((h ^ BigInt(bytes.readUIntLE(at, tail))) * m);
  }
  h = u32((h ^ (h >> 13n)) * m);
  return Number(BigInt.asIntN(32, h ^ (h >> 15n)));
}

const key = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  // Lone surrogates included.
  fc.array(fc.nat({ max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
);

describe("murmur2", () => {
  // The first six are those of Kafka's own UtilsTest.
  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
    ["", 275646681],
  ])("hashes %j as Kafka does", (text, hash) => {
    expect(murmur2(text)).toBe(hash);
    expect(murmur2OfBytes(Buffer.from(text))).toBe(hash);
  });

  it("hashes the UTF-8 bytes of any key", () => {
    fc.assert(
      fc.property(key, (text) => {
        expect(murmur2(text)).toBe(murmur2OfBytes(Buffer.from(text, "utf8")));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(["é", "Zürich", "日本語", "🙂", "a\u0080", "\u007f"])(
    "hashes %j by its bytes, not its code units",
    (text) => {
      expect(murmur2(text)).toBe(murmur2OfBytes(Buffer.from(text, "utf8")));
    },
  );
});

describe("partitionOf", () => {
  it("clears the sign of the hash and takes the rest of the division, as Kafka does", () => {
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 4_096 }), (text, partitions) => {
        const positive = Number(BigInt.asUintN(31, BigInt(murmur2(text))));
        expect(partitionOf(text, partitions)).toBe(positive % partitions);
      }),
    );
  });

  it("stays within the topic's partitions", () => {
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 4_096 }), (text, partitions) => {
        const partition = partitionOf(text, partitions);
        expect(Number.isInteger(partition)).toBe(true);
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(partitions);
      }),
    );
  });
});
