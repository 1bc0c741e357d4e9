import { aggregate, fold as folded, json, map, pipeline, sink, stream, topic } from "@millrace/core";
import * as t from "io-ts";
import { type Item, itemsOf, sourceOf } from "../item.ts";
import { grouped, type MakeWorkload, same } from "../workload.ts";

const Result = t.type({ area: t.string, of: t.array(t.number) });

const AREAS = 2;
const areaOf = ({ n }: Item): string => `a${n % AREAS}`;

/** G3, G4 with state: each item is in the running list of its area once, and every list goes on where the one before ended. */
export const fold: MakeWorkload = (scenario) => {
  const source = sourceOf(scenario);
  const values = itemsOf(scenario);
  const out = topic("out", { codec: json(Result), key: ({ area }) => area, partitions: scenario.partitionsBehind });
  const plan = pipeline(
    "fold",
    stream(source).pipe(
      aggregate(
        { of: folded<Item, readonly number[]>([], (list, { n }) => [...list, n]) },
        { by: areaOf, partitions: scenario.partitionsBehind },
      ),
      map(({ key, value }) => out.of({ area: key, of: [...value.of] })),
      sink(out),
    ),
  );
  return {
    source,
    values,
    pipelines: () => [plan],
    judge: async ({ read }) => {
      const results = grouped(
        (await read(out)).map(({ value }) => value),
        ({ area }) => area,
      );
      const areas = grouped(values, areaOf);
      return [...new Set([...results.keys(), ...areas.keys()])].flatMap((area) => {
        const lists = (results.get(area) ?? []).map((result) => result.of);
        const last = lists.at(-1) ?? [];
        const expected = (areas.get(area) ?? []).map(({ n }) => n);
        return [
          ...same(
            `the last list of ${area}`,
            last.toSorted((a, b) => a - b),
            expected,
          ),
          ...same(
            `the lists of ${area}`,
            lists,
            last.map((_, length) => last.slice(0, length + 1)),
          ),
          ...inKeyOrder(area, last, values),
        ];
      });
    },
  };
};

/** The items of one key keep their order on the way through the repartition topic. */
function inKeyOrder(area: string, list: readonly number[], values: readonly Item[]): readonly string[] {
  const byKey = grouped(list, (n) => values[n]?.key ?? "");
  return [...byKey].flatMap(([key, of]) =>
    same(
      `the order of ${key} in ${area}`,
      of,
      of.toSorted((a, b) => a - b),
    ),
  );
}
