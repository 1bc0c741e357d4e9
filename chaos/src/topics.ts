import { json, type Topic, topic } from "@millrace/core";
import * as t from "io-ts";

/** Name of the app, hence the first part of the consumer group's. */
export const APP = "chaos";
/** Name of the pipeline. */
export const PIPELINE = "work";
/** The consumer group that the workers share. */
export const GROUP = `${APP}.${PIPELINE}`;
/** Windows of event time that the state is checked by. */
export const WINDOW_MS = 1_000;
/** Partitions of the topic in front of the windows, and of their results. */
export const TOTAL_PARTITIONS = 4;

const Input = t.type({ key: t.string, group: t.string, n: t.number, at: t.number });
const Output = t.type({ key: t.string, n: t.number, from: t.number, offset: t.string, stay: t.string });
const Total = t.type({ group: t.string, start: t.number, count: t.number, sum: t.number });

/** What the producer sends: the n-th value of its key, and the group that it is counted in. */
export type Input = t.TypeOf<typeof Input>;
/** A copy of an input, which says where that was, and which stay of which worker made the copy. */
export type Output = t.TypeOf<typeof Output>;
/** How many inputs a group had in a window, and the sum of their n. */
export type Total = t.TypeOf<typeof Total>;

/** The topics of a run. */
export interface Topics {
  readonly input: Topic<Input>;
  readonly output: Topic<Output>;
  readonly totals: Topic<Total>;
}

/** Names of the topics in the store. */
export const TOPICS = { input: "input", output: "output", totals: "totals" } as const;

/** The topics, with as many partitions of input and output. */
export function topicsWith(partitions: number): Topics {
  return {
    input: topic(TOPICS.input, { codec: json(Input), key: ({ key }) => key, timestamp: ({ at }) => at, partitions }),
    output: topic(TOPICS.output, { codec: json(Output), key: ({ key }) => key, partitions }),
    totals: topic(TOPICS.totals, { codec: json(Total), key: ({ group }) => group, partitions: TOTAL_PARTITIONS }),
  };
}
