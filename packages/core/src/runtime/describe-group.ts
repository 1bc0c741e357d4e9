import { BEFORE_FIRST, entryIdOf, type Offset } from "../kernel/offset.ts";
import { tasksIn } from "../kernel/target.ts";
import { parseTaskId, taskIdOf } from "../kernel/task-id.ts";
import type { Ports } from "../ports/adapter.ts";
import type { GroupSnapshot, MemberInfo } from "../ports/group.ts";
import type { PartitionTime } from "../ports/log.ts";
import type { TaskPosition, TaskRef } from "../ports/tasks.ts";
import { topicIn } from "../topology/meaning.ts";
import { demand } from "./demand.ts";

/** A worker of a group. */
export interface MemberDescription extends MemberInfo {
  /** The tasks that it has, as `<topic>/<partition>`. */
  readonly tasks: readonly string[];
  /** The tasks that it is to have. */
  readonly target: readonly string[];
}

/** A task of a group. */
export interface TaskDescription {
  /** `<topic>/<partition>`. */
  readonly task: string;
  /** The worker that has it; `null`: nobody at the moment. */
  readonly member: string | null;
  /** The target by which its worker has it; `null`: nobody has it. */
  readonly generation: number | null;
  /** The last processed position, `<entry id>/<index>`; `0-0/0` before the first commit. */
  readonly offset: string;
  /** Records processed so far. */
  readonly processed: number;
  /** Records that are not processed yet. */
  readonly lag: number;
  /**
   * In ms: how much later than the last processed record the newest one was appended; 0 where all is processed, `null`
   * where nothing was processed yet.
   */
  readonly lagMs: number | null;
  /** The input was ended, and all of it is processed. */
  readonly isComplete: boolean;
}

/** A group at one moment. The offsets are a little younger than the members. */
export interface GroupDescription {
  readonly group: string;
  /** Rises with every change of the members. */
  readonly epoch: number;
  /** Rises with every new assignment. */
  readonly generation: number;
  readonly members: readonly MemberDescription[];
  readonly tasks: readonly TaskDescription[];
}

/** Describes a group. Rejects with `MillraceError`. */
export async function describeGroup(ports: Ports, group: string): Promise<GroupDescription> {
  const snapshot = await demand(ports.group.snapshot(group));
  const refs = tasksIn(snapshot.plan).map(({ id }) => refOf(group, snapshot, id));
  const positions = await demand(ports.tasks.positions(refs));
  const ends = await endsOf(ports, snapshot);
  const { epoch, generation, members, target, owners, completed } = snapshot;
  return {
    group,
    epoch,
    generation,
    members: members.toSorted(byName).map((member) => ({
      ...member,
      tasks: owners.filter((owner) => owner.member === member.member).map(({ task }) => task),
      target: target[member.member] ?? [],
    })),
    tasks: refs.map((ref, index) => {
      const task = taskIdOf(ref.topic.name, ref.partition);
      const owner = owners.find((each) => each.task === task);
      return {
        task,
        member: owner?.member ?? null,
        generation: owner?.generation ?? null,
        isComplete: completed.includes(task),
        ...progressOf(positions[index] ?? { sequence: 0, offset: BEFORE_FIRST, processed: 0 }, ends.get(task)),
      };
    }),
  };
}

function byName(a: MemberInfo, b: MemberInfo): number {
  return a.member < b.member ? -1 : 1;
}

function refOf(group: string, { plan }: GroupSnapshot, id: string): TaskRef {
  const { topic, partition } = parseTaskId(id);
  return { group, partition, topic: topicIn(topic, plan[topic] ?? { partitions: 0, meaning: "" }) };
}

async function endsOf(ports: Ports, { plan }: GroupSnapshot): Promise<ReadonlyMap<string, PartitionTime>> {
  const ends = new Map<string, PartitionTime>();
  for (const [name, entry] of Object.entries(plan)) {
    const { partitions } = await demand(ports.log.times(topicIn(name, entry)));
    partitions.forEach((end, partition) => {
      ends.set(taskIdOf(name, partition), end);
    });
  }
  return ends;
}

function progressOf(
  { offset, processed }: TaskPosition,
  end: PartitionTime | undefined,
): Pick<TaskDescription, "offset" | "processed" | "lag" | "lagMs"> {
  const lag = Math.max(0, (end?.appended ?? 0) - processed);
  return { offset, processed, lag, lagMs: lag === 0 ? 0 : lagMsOf(offset, end?.end ?? BEFORE_FIRST) };
}

function lagMsOf(offset: Offset, end: Offset): number | null {
  return offset === BEFORE_FIRST ? null : Math.max(0, millisecondsOf(end) - millisecondsOf(offset));
}

/** Entry ids begin with the time of the append. */
function millisecondsOf(offset: Offset): number {
  return Number.parseInt(entryIdOf(offset), 10);
}
