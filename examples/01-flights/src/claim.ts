import { type App, json, topic } from "@millrace/core";
import * as t from "io-ts";
import { firstValueFrom } from "rxjs";
import type { Options } from "./options.ts";

const Input = t.type({ data: t.string, rows: t.union([t.number, t.null]) });

/** What a namespace was filled with. Holds one record. */
const inputs = topic("input", { codec: json(Input), key: null, partitions: 1 });

/** The namespace holds other flights than those that were asked for. */
export class OtherInput extends Error {}

/**
 * Enters the flights to be sent as the input of the namespace, and rejects where other flights came first: results of a
 * mixture would be wrong.
 */
export async function claimInput(app: App, options: Options): Promise<void> {
  const mine = { data: options.data, rows: Number.isFinite(options.rows) ? options.rows : null };
  // The first record of this id is stored once; whoever sends another one later changes nothing.
  await using producer = await app.producer(inputs, { id: "flights-loader" });
  await producer.send(mine);
  const { value: first } = await firstValueFrom(app.observe(inputs, { from: "start", untilEnd: true }));
  if (first.data !== mine.data || first.rows !== mine.rows) {
    throw new OtherInput(
      `namespace "${options.redis?.namespace}" holds the flights of ${argumentsOf(first)}, not of ${argumentsOf(mine)}; ` +
        "leave --namespace out, or give another one",
    );
  }
}

function argumentsOf({ data, rows }: t.TypeOf<typeof Input>): string {
  return `--data ${data}${rows === null ? "" : ` --rows ${rows}`}`;
}
