import { batch, flatMap, json, pipeline, sink, stream, topic } from "@millrace/core";
import { Item, itemsOf, sourceOf } from "../item.ts";
import { grouped, type MakeWorkload, same } from "../workload.ts";
import { numbers } from "./copy.ts";

/**
 * Two ends: batches into a topic (G4: once), and a function outside of the store (at least once, G3; each key in order, where what
 * is written again was written before).
 */
export const sinks: MakeWorkload = (scenario, witness) => {
  const source = sourceOf(scenario);
  const values = itemsOf(scenario);
  const out = topic("out", { codec: json(Item), key: (item) => item.key, partitions: scenario.partitionsBehind });
  /** Every item that the function was called with, in the order of the calls. */
  const written: Item[] = [];
  return {
    source,
    values,
    pipelines: (process) => {
      const input = stream(source);
      return [
        pipeline(
          "sinks",
          input.pipe(
            batch<Item>(3, { within: "30 ms" }),
            flatMap((items) => items),
            sink(out),
          ),
          input.pipe(
            sink(
              async (items: readonly Item[]) => {
                await witness.pause(process);
                written.push(...items);
              },
              { name: "outside", maxBatch: 4 },
            ),
          ),
        ),
      ];
    },
    judge: async ({ read }) => {
      const found = grouped(
        (await read(out)).map(({ value }) => value),
        ({ key }) => key,
      );
      const firsts = grouped([...new Map(written.map((item) => [item.n, item])).values()], ({ key }) => key);
      return [...grouped(values, ({ key }) => key)].flatMap(([key, items]) => [
        ...same(`out of ${key}`, numbers(found.get(key)), numbers(items)),
        ...same(`outside, ${key} for the first time`, numbers(firsts.get(key)), numbers(items)),
      ]);
    },
  };
};
