import * as E from "fp-ts/lib/Either.js";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Log, TopicInfo } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";
import type { LogSnapshot } from "./unit-loop.ts";

/** How often the writers' table and the ends of a topic are fetched. */
const INTERVAL_MS = 200;

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

/** Tells the running tasks of one topic its times: at once when one begins, then five times a second. */
export class TimeKeeper {
  private readonly options: TimeKeeperOptions;
  private wake = new AbortController();
  private isStopped = false;

  constructor(options: TimeKeeperOptions) {
    this.options = options;
  }

  /** A task has begun: it needs the times now. */
  poke(): void {
    this.wake.abort();
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
      await sleep(this.options.clock, INTERVAL_MS, this.wake.signal);
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
}
