import type { Clock, GroupView, TopicInfo, TopicTimes } from "@millrace/core";

/** What one task has been told of its topic's times. */
interface Looks {
  /** At how many moments after the one at which the task was taken: it may not have been ready for what came at once. */
  moments: number;
  /** The newest of them (ms), or when it was taken. */
  lastMs: number;
  /** What the last one said, as {@link promiseOf}. */
  last: string;
}

/**
 * What a worker knows of the store, by the answers that it got: whether that is still true tells whether it will do something of
 * its own accord, without a record that comes.
 */
export class Sightings {
  private readonly views = new Map<string, GroupView>();
  /** Each pipeline asks with an object of its own, by which its looks are told from those of others that read the topic. */
  private readonly groups = new Map<TopicInfo, string>();
  private readonly looks = new Map<string, Looks>();
  private readonly reads = new Map<string, number>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** What the group has told it last; `null`: nothing yet. Out of date as soon as the members have changed. */
  view(group: string): GroupView | null {
    return this.views.get(group) ?? null;
  }

  told(group: string, view: GroupView): void {
    this.views.set(group, view);
  }

  /** A task of the group is about to be run. */
  acquires(group: string, topic: TopicInfo, partition: number): void {
    this.groups.set(topic, group);
    this.looks.set(keyOf(group, topic.name, partition), { moments: 0, lastMs: this.clock.now(), last: "" });
  }

  /** The times of a topic were asked for, for these partitions, and answered. */
  looked(topic: TopicInfo, partitions: readonly number[], times: TopicTimes): void {
    const group = this.groups.get(topic);
    for (const [index, partition] of partitions.entries()) {
      const looks = group === undefined ? undefined : this.looks.get(keyOf(group, topic.name, partition));
      if (looks !== undefined) {
        const nowMs = this.clock.now();
        looks.moments += nowMs > looks.lastMs ? 1 : 0;
        looks.lastMs = nowMs;
        looks.last = promiseOf(times, index);
      }
    }
  }

  /** Records of a partition were read. */
  read(topic: string, partition: number): void {
    this.reads.set(`${topic}/${partition}`, this.clock.now());
  }

  /** When records of a partition were last read (ms); `-Infinity`: never. */
  readAt(topic: string, partition: number): number {
    return this.reads.get(`${topic}/${partition}`) ?? Number.NEGATIVE_INFINITY;
  }

  /** Whether a running task knows all that there is to know of event time. It believes the second look, not the first. */
  isUpToDate(group: string, topic: string, partition: number, now: TopicTimes): boolean {
    const looks = this.looks.get(keyOf(group, topic, partition));
    return looks !== undefined && looks.moments > 1 && looks.last === promiseOf(now, partition);
  }
}

/** What is promised of event time to the reader of one partition; `index`: its place in the answer. */
function promiseOf({ writers, partitions }: TopicTimes, index: number): string {
  // JSON has no infinity.
  const promises = Object.entries(writers).map(([writer, ms]) => `${writer}=${ms}`);
  return `${partitions[index]?.sealed} ${promises.toSorted().join(" ")}`;
}

function keyOf(group: string, topic: string, partition: number): string {
  return `${group}/${topic}/${partition}`;
}
