import { compareUtf8, type DueRange } from "@millrace/core";

/** A chunk that has grown to so many keys is cut in two. */
const MOST_IN_CHUNK = 128;

/** A key and its due time (ms). */
interface Due {
  readonly key: string;
  readonly dueMs: number;
}

/** Keys and their due times, in order: two lists, so that a search looks at plain numbers, and at texts only where these tie. */
interface Chunk {
  readonly times: number[];
  readonly keys: string[];
}

/**
 * The keys of a store that have a due time, by that time and then by their bytes in UTF-8: sorted chunks in a row. A change
 * costs a search and a short move in a store of any size, and no read has to sort what was put before it.
 */
export class DueIndex {
  readonly #dueMsOf = new Map<string, number>();
  /** None is empty; everything in one comes before everything in the next. */
  readonly #chunks: Chunk[] = [];

  /** Gives a key a due time (ms), or another one; `null` takes it away. */
  set(key: string, dueMs: number | null): void {
    const before = this.#dueMsOf.get(key);
    if (before === dueMs) {
      return;
    }
    if (before !== undefined) {
      this.#remove({ key, dueMs: before });
    }
    if (dueMs === null) {
      this.#dueMsOf.delete(key);
    } else {
      this.#dueMsOf.set(key, dueMs);
      this.#insert({ key, dueMs });
    }
  }

  /** The first keys of a range, and the due time of the key behind them, in the range or beyond; `null`: there is none. */
  page({ fromMs, untilMs, limit }: DueRange): { readonly dues: readonly Due[]; readonly nextMs: number | null } {
    const dues: Due[] = [];
    for (const due of this.#from(fromMs)) {
      if (due.dueMs > untilMs || dues.length === limit) {
        return { dues, nextMs: due.dueMs };
      }
      dues.push(due);
    }
    return { dues, nextMs: null };
  }

  /** Returns a function that puts everything back as it is now. */
  snapshot(): () => void {
    const dues = [...this.#dueMsOf];
    return () => {
      this.#dueMsOf.clear();
      this.#chunks.length = 0;
      for (const [key, dueMs] of dues) {
        this.set(key, dueMs);
      }
    };
  }

  *#from(fromMs: number): Iterable<Due> {
    // No key comes before the empty one.
    const first: Due = { key: "", dueMs: fromMs };
    for (let at = this.#chunkOf(first); at < this.#chunks.length; at += 1) {
      const { times, keys } = this.#chunks[at] ?? NO_CHUNK;
      for (let place = placeIn({ times, keys }, first); place < times.length; place += 1) {
        yield { key: keys[place] ?? "", dueMs: times[place] ?? 0 };
      }
    }
  }

  #insert(due: Due): void {
    // What is behind everything goes into the last chunk.
    const at = Math.min(this.#chunkOf(due), this.#chunks.length - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push({ times: [due.dueMs], keys: [due.key] });
      return;
    }
    const { times, keys } = chunk;
    const place = placeIn(chunk, due);
    times.splice(place, 0, due.dueMs);
    keys.splice(place, 0, due.key);
    if (times.length === MOST_IN_CHUNK) {
      const half = MOST_IN_CHUNK / 2;
      this.#chunks.splice(at + 1, 0, { times: times.splice(half), keys: keys.splice(half) });
    }
  }

  #remove(due: Due): void {
    const at = this.#chunkOf(due);
    const chunk = this.#chunks[at] ?? NO_CHUNK;
    const place = placeIn(chunk, due);
    chunk.times.splice(place, 1);
    chunk.keys.splice(place, 1);
    if (chunk.times.length === 0) {
      this.#chunks.splice(at, 1);
    }
  }

  /** The number of the first chunk that does not end before; how many chunks there are where all do. */
  #chunkOf(due: Due): number {
    return countWhere(this.#chunks.length, (n) => {
      const chunk = this.#chunks[n] ?? NO_CHUNK;
      return isBefore(chunk, chunk.times.length - 1, due);
    });
  }
}

const NO_CHUNK: Chunk = { times: [], keys: [] };

/** How many keys of a chunk come before. */
function placeIn(chunk: Chunk, due: Due): number {
  return countWhere(chunk.times.length, (at) => isBefore(chunk, at, due));
}

function isBefore({ times, keys }: Chunk, at: number, due: Due): boolean {
  const dueMs = times[at] ?? 0;
  return dueMs === due.dueMs ? compareUtf8(keys[at] ?? "", due.key) < 0 : dueMs < due.dueMs;
}

/** How many of the first `count` numbers are before some point, where those that are come first. */
function countWhere(count: number, isBeforePoint: (n: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBeforePoint(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
