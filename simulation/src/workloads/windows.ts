import { count, json, map, mapOrdered, pipeline, sink, stream, sum, topic, tumbling, window } from "@millrace/core";
import * as t from "io-ts";
import { type Item, itemsOf, sourceOf } from "../item.ts";
import { grouped, type MakeWorkload, same } from "../workload.ts";

const Total = t.type({ area: t.string, start: t.number, count: t.number, sum: t.number });
type Total = t.TypeOf<typeof Total>;

const AREAS = 2;
const SHORT_MS = 5_000;
const LONG_MS = 15_000;

/** G8: windows behind a change of key, and windows of their results in a second pipeline, are those of the whole input at once. */
export const windows: MakeWorkload = (scenario, witness) => {
  const { partitionsBehind: partitions } = scenario;
  const source = sourceOf(scenario);
  const values = itemsOf(scenario);
  const totals = topic("totals", { codec: json(Total), key: ({ area }) => area, partitions });
  const finals = topic("finals", { codec: json(Total), key: ({ area }) => area, partitions: 1 });
  return {
    source,
    values,
    pipelines: (process) => {
      const slowly = async <A>(value: A): Promise<A> => {
        await witness.pause(process);
        return value;
      };
      return [
        pipeline(
          "short",
          stream(source).pipe(
            mapOrdered(slowly<Item>, { concurrency: 2 }),
            window(
              tumbling(`${SHORT_MS} ms`),
              { count: count(), sum: sum(({ n }: Item) => n) },
              { by: areaOf, grace: "0 s", partitions },
            ),
            map(({ key, start, value }) => totals.of({ area: key, start, ...value })),
            sink(totals),
          ),
        ),
        pipeline(
          "long",
          stream(totals).pipe(
            window(
              tumbling(`${LONG_MS} ms`),
              { count: sum((total: Total) => total.count), sum: sum((total: Total) => total.sum) },
              { by: () => "all", grace: "0 s" },
            ),
            map(({ key, start, value }) => finals.of({ area: key, start, ...value })),
            sink(finals),
          ),
        ),
      ];
    },
    judge: async ({ read }) => [
      ...same(
        "the short windows",
        sorted((await read(totals)).map(({ value }) => value)),
        of(values, SHORT_MS, areaOf),
      ),
      ...same(
        "the long windows",
        sorted((await read(finals)).map(({ value }) => value)),
        of(values, LONG_MS, () => "all"),
      ),
    ],
  };
};

const areaOf = ({ n }: Item): string => `a${n % AREAS}`;

/** All windows, over the whole input at once. */
function of(values: readonly Item[], sizeMs: number, areaOfItem: (item: Item) => string): readonly Total[] {
  const startOf = ({ at }: Item): number => Math.floor(at / sizeMs) * sizeMs;
  const windowsOf = grouped(values, (item) => `${areaOfItem(item)} ${startOf(item)}`);
  return sorted(
    [...windowsOf.values()].flatMap((items) => {
      const [first] = items;
      const total = items.reduce((before, { n }) => before + n, 0);
      return first === undefined
        ? []
        : [{ area: areaOfItem(first), start: startOf(first), count: items.length, sum: total }];
    }),
  );
}

function sorted(totals: readonly Total[]): readonly Total[] {
  return totals
    .map(({ area, start, count: records, sum: total }) => ({ area, start, count: records, sum: total }))
    .toSorted((a, b) => a.start - b.start || Number(a.area > b.area) - Number(a.area < b.area));
}
