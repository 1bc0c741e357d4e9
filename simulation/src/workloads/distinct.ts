import { deduplicate, json, pipeline, sink, stream, topic } from "@millrace/core";
import { Item, itemsOf, sourceOf } from "../item.ts";
import { type MakeWorkload, same } from "../workload.ts";
import { numbers } from "./copy.ts";

/** G4 with state: of the items that a program has sent twice, the first one of each is in the output, once. */
export const distinct: MakeWorkload = (scenario) => {
  const source = sourceOf(scenario);
  const once = itemsOf(scenario);
  const values = once.flatMap((item, n) => (n % 3 === 1 ? [item, { ...item, n: item.n + 1_000 }] : [item]));
  const out = topic("out", { codec: json(Item), key: (item) => item.key, partitions: scenario.partitionsBehind });
  const plan = pipeline(
    "distinct",
    stream(source).pipe(
      deduplicate(({ n }: Item) => String(n % 1_000), { within: "1 h" }),
      sink(out),
    ),
  );
  return {
    source,
    values,
    pipelines: () => [plan],
    judge: async ({ read }) => {
      const found = (await read(out)).map(({ value }) => value);
      return same(
        "out",
        numbers(found).toSorted((a, b) => a - b),
        numbers(once),
      );
    },
  };
};
