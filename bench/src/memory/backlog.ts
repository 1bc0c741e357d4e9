/** Values of about 1 KB, and what both sides of `heap` do with them. */
import { setTimeout as sleep } from "node:timers/promises";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";

/** As many keys, in turn: neighbours have different ones. */
const KEYS = 5_000;
const TEXT_CHARS = 960;

export const Parcel = t.type({ n: t.number, key: t.string, text: t.string });
export type Parcel = t.TypeOf<typeof Parcel>;

/** The first `count` parcels. */
export function makeParcels(count: number): Parcel[] {
  return Array.from({ length: count }, (_, n) => ({
    n,
    key: `key-${String(n % KEYS).padStart(6, "0")}`,
    text: String(n).padStart(TEXT_CHARS, "."),
  }));
}

/** The parcel in a text. Throws when there is none. */
export function parseParcel(text: string): Parcel {
  const decoded = Parcel.decode(JSON.parse(text));
  if (E.isLeft(decoded)) {
    throw new Error("an entry is not a parcel");
  }
  return decoded.right;
}

/** How many parcels are in the process at a time: read, and not finished. */
export class Held {
  most = 0;
  private now = 0;

  read(): void {
    this.now += 1;
    this.most = Math.max(this.most, this.now);
  }

  finished(count: number): void {
    this.now -= count;
  }
}

/** A handler that sleeps, and notes whom it was called for. */
export class SlowHandler {
  private readonly sleepMs: number;
  private readonly calls: number[];

  constructor(count: number, sleepMs: number) {
    this.sleepMs = sleepMs;
    this.calls = Array.from({ length: count }, () => 0);
  }

  readonly handle = async (parcel: Parcel): Promise<Parcel> => {
    this.calls[parcel.n] = (this.calls[parcel.n] ?? Number.NaN) + 1;
    await sleep(this.sleepMs);
    return parcel;
  };

  /** Throws unless it was called once for each parcel. */
  check(): void {
    const wrong = this.calls.findIndex((calls) => calls !== 1);
    if (wrong >= 0) {
      throw new Error(`the handler was called ${this.calls[wrong]} times for parcel ${wrong}`);
    }
  }
}
