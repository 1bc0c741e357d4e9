/** Feeds one task: reads its partition as far as there are credits, pushes what it reads, and moves event time on. */
import { DecodeError } from "../errors.ts";
import { compareOffsets, type Offset } from "../kernel/offset.ts";
import { MAX_UNIT_RECORDS } from "../kernel/unit-limit.ts";
import type { StoredRecord } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";
import type { Committer } from "./committer.ts";
import type { Credits } from "./credits.ts";
import { QuietTime } from "./quiet-time.ts";
import { readWhile } from "./read-while.ts";
import { stuck, type TaskOptions, taskName } from "./task-options.ts";
import { Turnstile } from "./turnstile.ts";
import type { Pusher, UnitLoop } from "./unit-loop.ts";

/** Whom the feed tells, and what it works with. */
export interface FeedHost {
  readonly loop: UnitLoop;
  readonly committer: Committer;
  readonly credits: Credits;
  /** Reading begins behind this position. */
  readonly from: Offset;
  /** For how long (ms) it was the position of the task, as the store said when the task was acquired. */
  readonly quietMs: number;
  /** Reading ends in front of this record; `null`: nowhere. */
  readonly cut: Offset | null;
  /** Ends a pause after a failure. */
  readonly signal: AbortSignal;
  readonly reachedCut: () => void;
  /** A record does not decode. It has changed nothing: what came before it can commit. */
  readonly undecodable: (error: DecodeError) => void;
  readonly failed: (error: unknown) => void;
  readonly stalled: (error: PortError) => void;
  /** There may be nothing left to do. */
  readonly moved: () => void;
}

export class Feed {
  private readonly options: TaskOptions;
  private readonly host: FeedHost;
  private readonly quiet: QuietTime;
  private readonly pusher: Pusher;
  /** Closed: no record is pushed, and event time stands still. */
  private readonly turnstile = new Turnstile();
  private closeReader: () => void = () => {};
  private cancelClose: () => void = () => {};
  private isReading = true;
  private hasBegun = false;
  private isPushing = false;
  private isTickPlanned = false;

  constructor(options: TaskOptions, host: FeedHost) {
    this.options = options;
    this.host = host;
    this.quiet = new QuietTime(host.quietMs);
    this.pusher = {
      mayGoOn: () => this.isReading,
      ahead: (at, { aheadMs, kind: policy }) => {
        const { emit, ref } = options;
        emit({
          _tag: "AheadOfTime",
          task: taskName(ref),
          id: `${ref.topic.name}/${ref.partition}/${at}`,
          aheadMs,
          policy,
        });
      },
    };
  }

  /** Nothing is pushed at the moment. */
  get isHeld(): boolean {
    return this.turnstile.isClosed;
  }

  /** Begins to read, or goes on, behind a {@link hold}. */
  release(): void {
    this.turnstile.open();
    if (this.isReading && !this.hasBegun) {
      this.hasBegun = true;
      this.readLoop().catch((error: unknown) => this.host.failed(error));
    }
    this.tick();
  }

  /** Reads nothing more. */
  stop(): void {
    this.isReading = false;
    this.cancelClose();
    this.turnstile.open();
    this.closeReader();
  }

  /**
   * Tells operators what they knew of time before a restart: nothing that was late is in time again. The store knows it, so it
   * commits with whatever is read first. Throws what an operator throws.
   */
  restoreTime(): void {
    const { loop, committer, credits } = this.host;
    if (loop.position.time.watermarkMs !== Number.NEGATIVE_INFINITY) {
      committer.hold();
      loop.pushTime(0);
      if (!credits.hasRoom) {
        // Nothing is read before this is committed.
        committer.resume();
      }
    }
  }

  /** What is read from now on waits. */
  hold(): void {
    this.turnstile.close();
    this.closeUnit();
  }

  /**
   * Each push in a unit of its own. Resolves when all is committed; `false`: the task is over. `blame` says what a failure of
   * the push at this index is.
   */
  async commit(
    pushes: readonly (() => void)[],
    blame: (error: unknown, index: number) => unknown = (error) => error,
  ): Promise<boolean> {
    const { loop, committer } = this.host;
    for (const [index, push] of pushes.entries()) {
      if (!this.isReading) {
        return false;
      }
      try {
        loop.pushAside(push);
      } catch (error) {
        this.host.failed(blame(error, index));
      }
    }
    committer.resume();
    return this.isReading && (await committer.idle());
  }

  /** Moves event time on where that has an effect. */
  tick(): void {
    const { loop, credits, committer } = this.host;
    if (this.isReading && !this.isHeld && credits.hasRoom) {
      if (loop.isAtEnd) {
        // There is nothing to wait for with what was restored.
        this.quiet.sawEnd();
        committer.resume();
      }
      const idleMs = this.idleMs();
      if (loop.isTimeDue(idleMs)) {
        this.orFail(() => loop.pushTime(idleMs));
      }
      this.host.moved();
    }
  }

  /** {@link tick} soon. */
  planTick(): void {
    if (!this.isTickPlanned) {
      this.isTickPlanned = true;
      setImmediate(() => {
        this.isTickPlanned = false;
        this.tick();
      });
    }
  }

  /** A unit that waits for more records waits no longer. */
  closeUnit(): void {
    this.cancelClose();
    this.orFail(() => this.host.loop.closeOpen());
  }

  /** A foreign operator has taken the last hold on a unit. */
  onParked(): void {
    if (!this.isPushing) {
      this.failIfStuck();
    }
  }

  private async readLoop(): Promise<void> {
    const { ports, ref, clock } = this.options;
    const { credits, from, signal, stalled } = this.host;
    const reader = ports.log.reader(ref.topic, ref.partition, from);
    this.closeReader = () => reader.close();
    await readWhile({
      reader,
      clock,
      credits,
      maxRecords: MAX_UNIT_RECORDS,
      quiet: this.quiet,
      signal,
      isReading: () => this.isReading,
      before: () => {
        this.failIfStuck();
        if (!credits.hasRoom) {
          this.closeUnit();
        }
      },
      isHeld: () => this.isHeld,
      turn: () => this.turnstile.pass(),
      read: (records) => this.onBatch(records),
      stalled,
    });
    reader.close();
  }

  private onBatch(records: readonly StoredRecord[]): void {
    if (records.length > 0) {
      this.options.stirred();
    }
    const { cut, committer, reachedCut } = this.host;
    const cutAt = cut === null ? -1 : records.findIndex(({ offset }) => compareOffsets(offset, cut) >= 0);
    this.push(cutAt < 0 ? records : records.slice(0, cutAt));
    if (cutAt >= 0) {
      reachedCut();
    }
    committer.resume();
  }

  private push(records: readonly StoredRecord[]): void {
    const { loop, credits, undecodable, failed } = this.host;
    for (const { bytes } of records) {
      credits.take(1, bytes);
    }
    let next = 0;
    this.isPushing = true;
    try {
      while (next < records.length && this.isReading) {
        next += loop.pushUnit(records, next, this.pusher);
      }
      this.closeUnitInTime();
    } catch (error) {
      if (error instanceof DecodeError) {
        undecodable(error);
      } else {
        failed(error);
      }
    } finally {
      this.isPushing = false;
    }
  }

  /** A unit that waits for more records is closed when it has waited for long enough. */
  private closeUnitInTime(): void {
    const { closesAtMs } = this.host.loop;
    const { clock } = this.options;
    this.cancelClose();
    if (closesAtMs !== null && this.isReading) {
      this.cancelClose = clock.after(Math.max(0, closesAtMs - clock.now()), () => this.closeUnit());
    }
  }

  /** Without credits no record is read, and without a record foreign operators let go of nothing. */
  private failIfStuck(): void {
    const { credits, committer, failed } = this.host;
    if (this.isReading && !credits.hasRoom && !committer.isIdle && committer.isDrained) {
      failed(stuck(taskName(this.options.ref)));
    }
  }

  /** For how long nothing has come, 0 while the task is busy: waiting for credits is not quiet. */
  private idleMs(): number {
    return this.host.credits.hasRoom && this.host.committer.isIdle ? this.quiet.ms : 0;
  }

  private orFail(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.host.failed(error);
    }
  }
}
