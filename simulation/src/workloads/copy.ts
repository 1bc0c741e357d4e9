import { type Call, json, mapOrdered, pipeline, type RecordInfo, sink, stream, topic } from "@millrace/core";
import { copies } from "@millrace/testing/history";
import type { SimulatedProcess } from "@millrace/testing/simulation";
import { Item, itemsOf, sourceOf } from "../item.ts";
import { grouped, type MakeWorkload, same, type Witness } from "../workload.ts";

/** G1, G3, G4: every item once in the output, in the order of its key, through an asynchronous handler. */
export const copy: MakeWorkload = (scenario, witness) => {
  const source = sourceOf(scenario);
  const values = itemsOf(scenario);
  const out = topic("out", { codec: json(Item), key: (item) => item.key, partitions: scenario.partitionsBehind });
  return {
    source,
    values,
    pipelines: (process) => {
      const handle = inOrder(
        process,
        witness,
        scenario.faults.some(({ kind }) => kind === "lose"),
      );
      return [pipeline("copy", stream(source).pipe(mapOrdered(handle, { concurrency: 3 }), sink(out)))];
    },
    flows: [copies({ group: "app.copy", from: source.name, to: out.name })],
    judge: async ({ read }) => {
      const found = grouped(
        (await read(out)).map(({ value }) => value),
        ({ key }) => key,
      );
      const expected = grouped(values, ({ key }) => key);
      const keys = new Set([...found.keys(), ...expected.keys()]);
      return [...keys].flatMap((key) => same(`out of ${key}`, numbers(found.get(key)), numbers(expected.get(key))));
    },
  };
};

/** A handler that takes its time, and knows the order in which it must be called for one acquisition of a task. */
function inOrder(
  process: SimulatedProcess,
  witness: Witness,
  mayRepeat: boolean,
): (item: Item, record: RecordInfo, call: Call) => Promise<Item> {
  // The signal that handlers are given belongs to one acquisition of one task.
  const stays = new WeakMap<AbortSignal, Map<string, { n: number; isBusy: boolean }>>();
  return async (item, _record, { signal }) => {
    const stay = stays.get(signal) ?? new Map<string, { n: number; isBusy: boolean }>();
    stays.set(signal, stay);
    const before = stay.get(item.key);
    if (before?.isBusy === true) {
      witness.saw(`G1: handlers of ${item.key} overlap: ${before.n} and ${item.n}`);
    }
    if (!mayRepeat && before !== undefined && before.n >= item.n) {
      witness.saw(`G1: the handler of ${item.key} was called for ${item.n} after ${before.n}`);
    }
    const now = { n: item.n, isBusy: true };
    stay.set(item.key, now);
    await witness.pause(process);
    now.isBusy = false;
    return item;
  };
}

export function numbers(items: readonly { readonly n: number }[] | undefined): readonly number[] {
  return (items ?? []).map(({ n }) => n);
}
