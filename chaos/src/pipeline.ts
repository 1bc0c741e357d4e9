import { setTimeout as pause } from "node:timers/promises";
import { count, map, mapOrdered, type Pipeline, pipeline, sink, stream, sum, tumbling, window } from "@millrace/core";
import { type Input, PIPELINE, TOTAL_PARTITIONS, type Topics, WINDOW_MS } from "./topics.ts";

/** Handlers of one task that run beside each other. */
const CONCURRENCY = 8;
/** One call in so many is slow. */
const SLOW_EVERY = 5;
const FAST_MS = 3;

/** What the pipeline needs of its process. */
export interface PipelineOptions {
  /** How long a slow call of the handler takes at most. */
  readonly slowMs: number;
  /** A stay of this process in a task begins with the record at `offset`. Returns the stay's name. */
  readonly begin: (task: string, offset: string) => string;
}

/**
 * Copies every input to the output, each named after the stay that made the copy, and counts the inputs of each group in
 * windows of event time behind a repartition topic.
 */
export function chaosPipeline({ input, output, totals }: Topics, options: PipelineOptions): Pipeline {
  // The signal that handlers are given belongs to one acquisition of one task.
  const stays = new WeakMap<AbortSignal, string>();
  const handled = stream(input).pipe(
    mapOrdered(
      async (value: Input, { topic, partition, offset }, { signal }) => {
        let stay = stays.get(signal);
        if (stay === undefined) {
          stay = options.begin(`${topic}/${partition}`, offset);
          stays.set(signal, stay);
        }
        await pause(Math.random() * (Math.random() * SLOW_EVERY < 1 ? options.slowMs : FAST_MS));
        return { ...value, from: partition, offset, stay };
      },
      { concurrency: CONCURRENCY },
    ),
  );
  const copies = handled.pipe(
    map(({ key, n, from, offset, stay }) => output.of({ key, n, from, offset, stay })),
    sink(output),
  );
  const counts = handled.pipe(
    window(
      tumbling(`${WINDOW_MS} ms`),
      { count: count(), sum: sum(({ n }) => n) },
      { by: ({ group }) => group, grace: "0 s", partitions: TOTAL_PARTITIONS },
    ),
    map(({ key, start, value }) => totals.of({ group: key, start, ...value })),
    sink(totals),
  );
  return pipeline(PIPELINE, copies, counts);
}
