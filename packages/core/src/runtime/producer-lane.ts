import type { NewRecord } from "../ports/log.ts";

/** The most records of one append. */
const BATCH_RECORDS = 500;
/** The most characters of one append; a single larger record goes alone. */
const BATCH_CHARS = 524_288;

/** A record on its way, and who waits for it. */
export interface Pending {
  readonly record: NewRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What a producer has for one partition: numbered without gaps, sent in order, one batch at a time. */
export class ProducerLane {
  readonly partition: number;
  private readonly append: (partition: number, firstSequence: number, records: readonly NewRecord[]) => Promise<void>;
  private readonly stored: (batch: readonly Pending[]) => void;
  private readonly failed: (error: unknown) => void;
  private waiting: Pending[] = [];
  private underWay: readonly Pending[] = [];
  private nextSequence = 0;
  /** How many records of the input the log has had from this producer since before. */
  private alreadyStored: number;
  private isSending = false;

  /**
   * `append` stores records exactly once, waiting as long as it takes; when it rejects the lane sends nothing more. Each
   * batch that is stored is handed to `stored`.
   */
  constructor(
    at: { readonly partition: number; readonly alreadyStored: number },
    calls: {
      readonly append: (partition: number, firstSequence: number, records: readonly NewRecord[]) => Promise<void>;
      readonly stored: (batch: readonly Pending[]) => void;
      readonly failed: (error: unknown) => void;
    },
  ) {
    this.partition = at.partition;
    this.alreadyStored = at.alreadyStored;
    this.append = calls.append;
    this.stored = calls.stored;
    this.failed = calls.failed;
  }

  /** How many records the log has acknowledged. */
  get sequence(): number {
    return this.nextSequence;
  }

  /** Whether the next record is one that the log has had since before; it counts as sent then. */
  skipsNext(): boolean {
    if (this.alreadyStored === 0) {
      return false;
    }
    this.alreadyStored -= 1;
    this.nextSequence += 1;
    return true;
  }

  push(pending: Pending): void {
    this.waiting.push(pending);
    if (!this.isSending) {
      this.isSending = true;
      // What is sent in the same turn of the event loop goes together.
      setImmediate(() => void this.sendAll());
    }
  }

  /** Tells everybody who waits that nothing more will be sent. */
  giveUp(error: Error): void {
    const all = [...this.underWay, ...this.waiting];
    this.underWay = [];
    this.waiting = [];
    for (const { reject } of all) {
      reject(error);
    }
  }

  private async sendAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, batchLength(this.waiting));
      this.underWay = batch;
      try {
        await this.append(
          this.partition,
          this.nextSequence,
          batch.map(({ record }) => record),
        );
      } catch (error) {
        this.failed(error);
        return;
      }
      this.nextSequence += batch.length;
      if (this.underWay === batch) {
        this.underWay = [];
        this.stored(batch);
      }
    }
    this.isSending = false;
  }
}

function batchLength(waiting: readonly Pending[]): number {
  let chars = 0;
  let count = 0;
  for (const { record } of waiting) {
    chars += record.payload.length;
    if (count === BATCH_RECORDS || (count > 0 && chars > BATCH_CHARS)) {
      break;
    }
    count += 1;
  }
  return count;
}
