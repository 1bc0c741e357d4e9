import {
  type Duration,
  EncodeError,
  json,
  type Limits,
  type Pipeline,
  pipeline,
  sink,
  stream,
  type Topic,
  topic,
  type WindowSpec,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import { bench, rejection } from "./bench-top.ts";
import {
  AGGREGATES,
  type ExpectedRow,
  ms,
  type Outcome,
  specOf,
  type VectorItem,
  type VectorRun,
} from "./window-vectors.ts";

const nullable = t.union([t.string, t.null]);

/** One partition, in which nothing may be out of order. */
function input(name: string, key: ((item: VectorItem) => string) | null): Topic<VectorItem> {
  const codec = json(t.type({ key: nullable, value: nullable, ts: t.number }));
  return topic<VectorItem>(name, { codec, key, timestamp: ({ ts }) => ts, partitions: 1 });
}

// A program that is not type-checked may have a null for a key.
const source = input("source", ({ key }) => key as string);

/** The same without keys. */
export const keyless = input("keyless", null);

const Result = t.type({
  key: t.string,
  start: t.number,
  end: t.number,
  revision: t.number,
  value: t.union([t.null, t.type({ result: t.union([t.string, t.number]) })]),
});

/** What the window emits. Records have the time of the result that they hold. */
const results = topic("results", { codec: json(Result), key: ({ key }) => key, partitions: 1 });

/** What a pipeline is made of. */
interface Definition {
  readonly spec: WindowSpec;
  readonly grace: Duration;
  readonly emit: "final" | "updates";
  readonly aggregate?: keyof typeof AGGREGATES;
  readonly from?: Topic<VectorItem>;
}

/** The pipeline of a vector. Throws for what makes no sense. */
export function plan({ spec, grace, emit, aggregate = "count", from = source }: Definition): Pipeline {
  return pipeline(
    "vectors",
    stream(from).pipe(window(spec, { result: AGGREGATES[aggregate] }, { grace, emit }), sink(results)),
  );
}

/**
 * Sends the inputs of a vector one by one, each when everything is done that came of the one before it, so that it is known
 * of which input each result came. Throws when the task fails or does not come to an end with an input.
 */
export async function runVector({ of, emit }: VectorRun, limits: Limits): Promise<Outcome> {
  const { window: kafka, aggregate } = of.config;
  const definition = { spec: specOf(kafka), grace: ms(kafka.graceMs ?? 0), emit, aggregate };
  const { app, settle, clock, events } = bench();
  const rows: ExpectedRow[] = [];
  const dropped: { input: number; drops: number }[] = [];
  const refused: number[] = [];
  let current = 0;
  const observer = app("observer").observe(results, { from: "start" });
  const watching = observer.subscribe(({ value, timestamp }) => {
    rows.push({ afterInput: current, ...value, value: value.value?.result ?? null, timestamp });
  });
  const running = await settle(app("app", { limits }).run(plan(definition)));
  const producer = await settle(app("sender").producer(source));
  let sent = 0;
  let seen = 0;
  for (const [index, item] of of.input.entries()) {
    current = index;
    if ("advanceWallClockMs" in item) {
      await clock.advance(item.advanceWallClockMs);
    } else if (item.key === null) {
      refused.push(...((await rejection(producer.send(item))) instanceof EncodeError ? [index] : []));
    } else {
      await settle(producer.send(item));
      sent += 1;
      await processed(sent);
    }
    const drops = lateWindows(seen);
    if (drops > 0) {
      dropped.push({ input: index, drops });
    }
    seen = events.length;
  }
  await settle(running.stop());
  watching.unsubscribe();
  return { rows, dropped, refused };

  function lateWindows(since: number): number {
    return events.slice(since).reduce((sum, event) => sum + (event._tag === "LateRecord" ? event.windows : 0), 0);
  }

  async function processed(records: number): Promise<void> {
    for (let waitedMs = 0; (running.status()[0]?.processed ?? 0) < records; waitedMs += 10) {
      const failed = events.find(({ _tag }) => _tag === "Failed");
      if (failed !== undefined || waitedMs > 10_000) {
        throw new Error(
          `record ${records} was not processed: ${failed?._tag === "Failed" ? failed.error.message : "no failure"}`,
        );
      }
      await clock.advance(10);
    }
    // What was processed commits, and is observed.
    await clock.advance(100);
  }
}

/** What a window makes of records that are all there, until the input ends. */
export async function windowsOf(
  definition: Pick<Definition, "spec" | "grace" | "emit">,
  items: readonly VectorItem[],
  limits: Limits,
): Promise<readonly t.TypeOf<typeof Result>[]> {
  const { app, send, complete, read } = bench();
  await send(source, items);
  await complete(app("app", { limits }), plan(definition));
  return (await read(results)).map(({ value }) => value);
}
