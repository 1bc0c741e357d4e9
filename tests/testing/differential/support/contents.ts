/** Everything that both stores hold in the end, looked at through the ports. */
import { BEFORE_FIRST, type StoredRecord } from "@millrace/core";
import type { Play } from "./command.ts";
import { snapshot } from "./group-commands.ts";
import { nextSequences, PRODUCERS, partitionLabel, times } from "./log-commands.ts";
import { shownRecord } from "./reader-commands.ts";
import type { Side } from "./side.ts";
import { due, get, scan } from "./state-commands.ts";
import { acquire, GROUPS, KEYS, positions, STORES, type TaskChoice } from "./task-commands.ts";
import type { Topic } from "./topics.ts";

const ALL = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY, limit: 1_000 };
const AMPLE = { maxRecords: 1_000, maxBytes: 10_000_000 };

/** Compares what is left of a sequence. Takes tasks over, so it comes last. */
export async function compareContents(play: Play): Promise<void> {
  play.world.isOver = true;
  for (const topic of play.topics.all) {
    const of = {
      slot: 0,
      topic: { name: topic.memory.name.slice(play.world.options.prefix.length), which: "today's" },
    } as const;
    await times(play, { ...of, partitions: undefined });
    for (const producer of PRODUCERS) {
      await nextSequences(play, { ...of, producer });
    }
    for (let partition = 0; partition < topic.partitions; partition += 1) {
      await compareLog(play, topic, partition);
      await compareTasks(
        play,
        GROUPS.map((group): TaskChoice => ({ group, topic: of.topic, partition })),
      );
    }
  }
  await snapshot(play, 0);
}

async function compareTasks(play: Play, tasks: readonly TaskChoice[]): Promise<void> {
  await positions(play, { slot: 0, tasks });
  for (const task of tasks) {
    const [begin, end] = [`${task.group} of ${task.topic.name}, `, `, partition ${task.partition}`];
    if (!play.owners.some(({ label }) => label.startsWith(begin) && label.endsWith(end))) {
      continue; // Nobody acquired it: it has nothing.
    }
    for (const store of STORES) {
      const of = { slot: 0, task, store } as const;
      await scan(play, of);
      await get(play, { ...of, keys: KEYS });
      await due(play, { ...of, range: ALL });
    }
    await acquire(play, { slot: 0, task, generation: 9 });
  }
}

/** Every record of a partition, in order. */
async function compareLog({ world }: Play, topic: Topic, partition: number): Promise<void> {
  const found = await world.peek.log.times(topic.memory, [partition])();
  const count = found._tag === "Left" ? 0 : (found.right.partitions[0]?.appended ?? 0);
  if (count === 0) {
    return; // So it is for both, as the times have shown.
  }
  const label = partitionLabel(topic, partition);
  const shown = async (side: Side): Promise<unknown> => {
    const records = await recordsOf(side, topic, partition, count);
    return typeof records === "string" ? records : records.map((record) => shownRecord(record, label, side));
  };
  const [memory, redis] = await Promise.all(world.sides.map(shown));
  world.compare("all records", label, { memory, redis });
}

/** So many records; or why there are not so many. */
async function recordsOf(
  side: Side,
  topic: Topic,
  partition: number,
  count: number,
): Promise<readonly StoredRecord[] | string> {
  const reader = side.ports(0).log.reader(topic[side.kind], partition, BEFORE_FIRST);
  const records: StoredRecord[] = [];
  try {
    while (records.length < count) {
      const batch = await reader.next(AMPLE);
      if (batch._tag === "Left") {
        return batch.left._tag;
      }
      if (batch.right.records.length === 0) {
        break;
      }
      records.push(...batch.right.records);
    }
    return records;
  } finally {
    reader.close();
  }
}
