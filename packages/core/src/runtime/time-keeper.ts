import * as E from "fp-ts/lib/Either.js";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Log, TopicInfo } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";
import type { LogSnapshot } from "./unit-loop.ts";

/** How often the writers' table and the ends of a topic are fetched. */
const INTERVAL_MS = 200;
/** How often while nothing changes: idle groups are to cost next to nothing. */
const QUIET_INTERVAL_MS = 1_000;
/** So many looks that saw nothing new make a topic quiet. */
const QUIET_LOOKS = 5;

/** A running task, as far as time is concerned. */
export interface TimedTask {
  onTimes(snapshot: LogSnapshot): void;
  /** The topic cannot be used any more. A read that waits would not notice. */
  fail(error: PortError): void;
}

/** What keeping time needs. */
export interface TimeKeeperOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly topic: TopicInfo;
  /** This worker's running tasks of the topic, by partition. */
  readonly tasks: () => ReadonlyMap<number, TimedTask>;
}

/** Tells the running tasks of one topic its times: at once when one begins, then five times a second, once while it is quiet. */
export class TimeKeeper {
  private readonly options: TimeKeeperOptions;
  private wake = new AbortController();
  private isStopped = false;
  private seen = "";
  private quietLooks = 0;

  constructor(options: TimeKeeperOptions) {
    this.options = options;
  }

  /** A task has begun: it needs the times now. */
  poke(): void {
    this.quietLooks = 0;
    this.wake.abort();
  }

  /** A task has read something: where the topic was quiet, it is not any more. */
  stir(): void {
    if (this.quietLooks >= QUIET_LOOKS) {
      this.poke();
    }
  }

  stop(): void {
    this.isStopped = true;
    this.poke();
  }

  /** Runs until it is stopped. A store that does not answer is asked again. */
  async run(): Promise<void> {
    while (!this.isStopped) {
      this.wake = new AbortController();
      await this.look();
      const pauseMs = this.quietLooks < QUIET_LOOKS ? INTERVAL_MS : QUIET_INTERVAL_MS;
      await sleep(this.options.clock, pauseMs, this.wake.signal);
    }
  }

  private async look(): Promise<void> {
    const { log, topic, tasks } = this.options;
    const asked = [...tasks().keys()];
    if (asked.length === 0) {
      return;
    }
    const times = await log.times(topic, asked)();
    const running = tasks();
    if (E.isRight(times)) {
      const { writers, partitions } = times.right;
      this.compare(JSON.stringify([writers, partitions]));
      asked.forEach((partition, index) => {
        const time = partitions[index];
        if (time !== undefined) {
          running.get(partition)?.onTimes({ ...time, writers });
        }
      });
    } else if (!times.left.retriable) {
      for (const task of running.values()) {
        task.fail(times.left);
      }
    }
  }

  private compare(times: string): void {
    this.quietLooks = times === this.seen ? this.quietLooks + 1 : 0;
    this.seen = times;
  }
}
