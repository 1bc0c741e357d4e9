import { json, mapOrdered, pipeline, sink, stream, topic } from "@millrace/core";
import { Item, itemsOf, sourceOf } from "../item.ts";
import { grouped, type MakeWorkload, same } from "../workload.ts";
import { numbers } from "./copy.ts";

/** Which items fail, and keep failing. */
const isPoison = ({ n }: Item): boolean => n % 4 === 2;

/** G3, G4 where handlers fail: every item is in the output or a dead letter, once; with `park`, with all behind it of its key. */
export const letters: MakeWorkload = (scenario, witness) => {
  const source = sourceOf(scenario);
  const values = itemsOf(scenario);
  const parks = scenario.seed % 2 === 0;
  const out = topic("out", { codec: json(Item), key: (item) => item.key, partitions: scenario.partitionsBehind });
  const plan = (process: Parameters<typeof witness.pause>[0]) =>
    pipeline(
      "letters",
      stream(source).pipe(
        mapOrdered(
          async (item: Item) => {
            await witness.pause(process);
            if (isPoison(item)) {
              throw new Error("an item that no handler can stand");
            }
            return item;
          },
          {
            name: "handle",
            concurrency: 3,
            retry: { attempts: 2, backoff: "5 ms" },
            onError: parks ? "park" : "deadLetter",
          },
        ),
        sink(out),
      ),
    );
  const isLetter = (item: Item): boolean =>
    isPoison(item) || (parks && values.some((other) => other.key === item.key && other.n < item.n && isPoison(other)));
  return {
    source,
    values,
    pipelines: (process) => [plan(process)],
    judge: async ({ read, letters: lettersOf }) => {
      const found = grouped(
        (await read(out)).map(({ value }) => value),
        ({ key }) => key,
      );
      const expected = grouped(
        values.filter((item) => !isLetter(item)),
        ({ key }) => key,
      );
      const failed = (await lettersOf(plan(witness.outside))).map((value) => (value as Item).n);
      return [
        ...[...new Set([...found.keys(), ...expected.keys()])].flatMap((key) =>
          same(`out of ${key}`, numbers(found.get(key)), numbers(expected.get(key))),
        ),
        ...same(
          "the letters",
          failed.toSorted((a, b) => a - b),
          numbers(values.filter(isLetter)),
        ),
      ];
    },
  };
};
