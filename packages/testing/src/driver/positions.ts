import type { App, Pipeline } from "@millrace/core";
import type { CommittedPosition } from "./test-driver.ts";

/** How far the tasks are that read a topic: pipeline after pipeline, partition after partition. */
export async function positionsOf(
  app: App,
  topic: string,
  pipelines: readonly Pipeline[],
): Promise<readonly CommittedPosition[]> {
  const positions: CommittedPosition[] = [];
  for (const { name } of pipelines) {
    const { tasks } = await app.describeGroup(name);
    const own = tasks.filter(({ task }) => task.startsWith(`${topic}/`));
    const found = own.map(({ task, processed: records, lag, offset, member: worker, isComplete }) => {
      const partition = Number(task.slice(topic.length + 1));
      return { pipeline: name, partition, records, lag, offset, worker, isComplete };
    });
    positions.push(...found.toSorted((a, b) => a.partition - b.partition));
  }
  return positions;
}
