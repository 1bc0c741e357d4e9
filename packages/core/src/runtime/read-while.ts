import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import { backoffMs } from "../kernel/backoff.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Reader, StoredRecord } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";
import type { Credits } from "./credits.ts";
import type { QuietTime } from "./quiet-time.ts";

/** How a partition is read. */
export interface ReadWhile {
  readonly reader: Reader;
  readonly clock: Clock;
  /** Reading waits for them. */
  readonly credits: Credits;
  /** The most records of one read. */
  readonly maxRecords: number;
  /** Told of every read. */
  readonly quiet: QuietTime;
  /** Ends a pause after a failure. */
  readonly signal: AbortSignal;
  readonly isReading: () => boolean;
  /** Called in front of every read. */
  readonly before: () => void;
  /** Whether records must wait. */
  readonly isHeld: () => boolean;
  /** Resolves when they need not. */
  readonly turn: () => Promise<void>;
  readonly read: (records: readonly StoredRecord[]) => void;
  /** The store does not answer; it is asked again. */
  readonly stalled: (error: PortError) => void;
}

/** Reads one batch after the other, as far as there are credits. Rejects with the `MillraceError` that ends it. */
export async function readWhile(of: ReadWhile): Promise<void> {
  const { reader, clock, credits, quiet } = of;
  let failures = 0;
  while (of.isReading()) {
    of.before();
    const room = await credits.room();
    const askedMs = clock.now();
    const batch = await reader.next({ ...room, maxRecords: Math.min(room.maxRecords, of.maxRecords) });
    if (E.isRight(batch)) {
      failures = 0;
      const { records, atEnd } = batch.right;
      quiet.read({ isEmpty: records.length === 0, atEnd }, askedMs, clock.now());
      await handOver(of, records);
    } else if (!of.isReading()) {
      return;
    } else if (batch.left.retriable) {
      failures += 1;
      quiet.failed();
      of.stalled(batch.left);
      await sleep(clock, backoffMs(failures, Math.random()), of.signal);
    } else {
      throw new MillraceError(batch.left);
    }
  }
}

async function handOver(of: ReadWhile, records: readonly StoredRecord[]): Promise<void> {
  // Nothing comes between the last look and the hand-over: who holds the feed finds it at rest.
  while (of.isHeld() && of.isReading()) {
    await of.turn();
  }
  if (of.isReading()) {
    of.read(records);
    // Timers and sockets have their turn between batches.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
