/**
 * Which partition a key belongs to: Kafka's default partitioner, so that both systems send a key to the same partition.
 *
 * murmur2 (Austin Appleby, 32 bit, seed 0x9747b28c) over the key's UTF-8 bytes, sign bit cleared, modulo the number of
 * partitions, as in Kafka's `Utils.murmur2` and `BuiltInPartitioner`.
 */
const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

const encoder = new TextEncoder();

/** The partition, 0 to `partitions` − 1, of a key. `partitions` is a whole number >= 1. */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(key) & 0x7fffffff) % partitions;
}

/** The murmur2 hash of the key's UTF-8 bytes, as a signed 32-bit number. */
export function murmur2(key: string): number {
  return isAscii(key) ? hash(key.length, (index) => key.charCodeAt(index)) : hashBytes(encoder.encode(key));
}

function hashBytes(bytes: Uint8Array): number {
  return hash(bytes.length, (index) => bytes[index] ?? 0);
}

function hash(length: number, at: (index: number) => number): number {
  let h = SEED ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> R;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = length - whole;
  if (rest > 0) {
    for (let i = rest - 1; i >= 0; i--) {
      h ^= at(whole + i) << (8 * i);
    }
    h = Math.imul(h, M);
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) {
      return false;
    }
  }
  return true;
}
