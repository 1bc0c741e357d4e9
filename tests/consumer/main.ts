/**
 * What a user's first program looks like: real records through a pipeline to the end, and every kind of export at work.
 * The test beside it compiles and runs this against the packed packages. Throws when anything is not as it should be.
 */
import assert from "node:assert/strict";
import {
  type Adapter,
  type AppEvent,
  asRecords,
  BEFORE_FIRST,
  type Codec,
  compareOffsets,
  count,
  createApp,
  type Duration,
  EncodeError,
  entryIdOf,
  filter,
  flatMap,
  fold,
  isName,
  json,
  type Limits,
  MillraceError,
  map,
  mapOrdered,
  max,
  mean,
  min,
  murmur2,
  native,
  offsetOf,
  type Pipeline,
  parseDuration,
  partitionBy,
  partitionOf,
  pipeline,
  portError,
  type StandardSchema,
  type Stream,
  type StreamRecord,
  type Sunk,
  sink,
  sleep,
  stream,
  sum,
  systemClock,
  type Topic,
  tap,
  topic,
  tumbling,
  type Windowed,
  window,
} from "@millrace/core";
import { doneTE, LeftError, mapEitherK, mapOrderedTE, runTE, sinkTE } from "@millrace/core/fp";
import { redisAdapter } from "@millrace/redis-adapter";
import { createTestDriver, createVirtualClock, type MemoryAdapter, memoryAdapter } from "@millrace/testing";
import { checkHistory, contentsOf, type HistoryLine, recordHistory, touchedBy } from "@millrace/testing/history";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import { lastValueFrom, of, filter as rxFilter, toArray } from "rxjs";

const Order = t.type({ customer: t.string, region: t.string, total: t.number, at: t.number });
type Order = t.TypeOf<typeof Order>;

/** As a schema library would make it. */
const regionTotal: StandardSchema<unknown, { region: string; from: number; orders: number; total: number }> = {
  "~standard": {
    version: 1,
    vendor: "by-hand",
    validate: (value) => (typeof value === "object" ? { value } : { issues: [{ message: "expected an object" }] }),
  },
};

const orders = topic("orders", { codec: json(Order), key: (o) => o.customer, timestamp: (o) => o.at, partitions: 3 });
const totals = topic("region-totals", { codec: json(regionTotal), key: (total) => total.region, partitions: 2 });
const notes: Topic<string> = topic("notes", { codec: json(t.string), key: null, outOfOrderness: "1 s" });

const paid: Stream<Order> = stream(orders).pipe(filter((order) => order.total > 0));
const toTotals: Stream<Sunk> = paid.pipe(
  mapOrdered(async (order, record, { signal }) => ({ ...order, id: record.id, isLive: !signal.aborted }), {
    concurrency: 8,
  }),
  window(
    tumbling("1 minute"),
    { orders: count(), total: sum((order) => order.total) },
    { by: (order) => order.region, grace: "10 s" },
  ),
  map((w) => totals.of({ region: w.key, from: w.start, ...w.value })),
  sink(totals),
);
const toNotes = paid.pipe(
  native(
    "large",
    rxFilter<Order>((order) => order.total > 3),
    { stateless: true },
  ),
  partitionBy((order) => order.region, { name: "notes-by-region" }),
  flatMap((order) => [`${order.region} ${order.total}`]),
  sink(notes),
);
const job: Pipeline = pipeline("region-totals", toTotals, toNotes);

const input: readonly Order[] = Array.from({ length: 300 }, (_, n) => ({
  customer: `c${n % 7}`,
  region: n % 3 === 0 ? "north" : "south",
  total: n % 5,
  at: n * 1_000,
}));

async function runJob(): Promise<void> {
  const adapter: MemoryAdapter = memoryAdapter();
  const limits: Limits = { maxRecords: 4_096 };
  await using app = createApp({ name: "billing", adapter, limits });
  const events: AppEvent[] = [];
  app.events$.subscribe((event) => events.push(event));

  await using producer = await app.producer(orders);
  assert.equal(await producer.sendAll(input), input.length);
  await producer.end();
  const broken = producer.send({ ...orders.of({ customer: "c", region: "r", total: 1, at: 0 }), at: Number.NaN });
  await assert.rejects(broken, (error) => error instanceof EncodeError && error.issues[0]?.path === "timestamp");

  await using running = await app.run(job);
  await running.done;
  assert.ok(running.status().length > 0);

  const rows = await lastValueFrom(app.observe(totals, { from: "start", untilEnd: true }).pipe(toArray()));
  assert.deepEqual(sortedRows(rows), expectedRows());
  const written = await lastValueFrom(app.observe(notes, { from: "start", untilEnd: true }).pipe(toArray()));
  assert.equal(written.length, input.filter(({ total }) => total > 3).length);
  assert.ok(adapter.bytes() > 0);
}

function sortedRows(rows: readonly StreamRecord<{ region: string; from: number; total: number }>[]): readonly string[] {
  return rows.map(({ value }) => `${value.from} ${value.region} ${value.total}`).toSorted();
}

/** The same by a plain reduction. */
function expectedRows(): readonly string[] {
  const sums = new Map<string, number>();
  for (const { at, region, total } of input) {
    const id = `${Math.floor(at / 60_000) * 60_000} ${region}`;
    sums.set(id, (sums.get(id) ?? 0) + total);
  }
  return [...sums].map(([id, total]) => `${id} ${total}`).toSorted();
}

/** Operators work on any Observable. */
async function tryOperators(): Promise<void> {
  const seen: string[] = [];
  const total = (order: Order): number => order.total;
  const results: readonly Windowed<{ least: number; most: number; mean: number; last: string }>[] = await lastValueFrom(
    of(...input).pipe(
      asRecords(orders),
      tap((order, record) => seen.push(`${order.customer} ${record.key}`)),
      window(
        tumbling("1 day"),
        { least: min(total), most: max(total), mean: mean(total), last: fold("", (_, order: Order) => order.customer) },
        { grace: "0 s" },
      ),
      toArray(),
    ),
  );
  assert.equal(seen.length, input.length);
  assert.deepEqual(
    results.map(({ key, value }) => [key, value.last]),
    ["c0", "c1", "c2", "c3", "c4", "c5", "c6"].map((customer) => [customer, customer]),
  );
}

/** The other door, to the same operators. */
async function tryFp(): Promise<void> {
  const refuse = (order: Order): E.Either<{ readonly _tag: "Refused" }, Order> =>
    order.total > 0 ? E.right(order) : E.left({ _tag: "Refused" });
  const rows: string[] = [];
  const plan = pipeline(
    "fp",
    stream(orders).pipe(
      mapEitherK(refuse, { onLeft: (left) => (left._tag === "Refused" ? "skip" : "fail") }),
      mapOrderedTE((order, record) => TE.right(`${record.key} ${order.total}`)),
      sinkTE((batch) => TE.fromIO(() => rows.push(...batch))),
    ),
  );
  await using app = createApp({ name: "fp", adapter: memoryAdapter() });
  await using producer = await app.producer(orders);
  await producer.sendAll(input);
  await producer.end();
  assert.deepEqual(await pipe(runTE(app, plan), TE.chain(doneTE))(), E.right(undefined));
  const kept = input.filter(({ total }) => total > 0).map(({ customer, total }) => `${customer} ${total}`);
  assert.deepEqual(rows.toSorted(), kept.toSorted());
  await assert.rejects(lastValueFrom(of(...input).pipe(mapEitherK(refuse))), LeftError);
}

/** What tests are made of: no runner is here. */
async function tryTesting(): Promise<void> {
  const copied = topic("copied", { codec: json(Order), key: (order) => order.customer });
  const copy = pipeline("copy", stream(orders).pipe(sink(copied)));
  await using driver = await createTestDriver(copy, { partitions: 2 });
  await driver.send(orders, input);
  await driver.crash();
  await driver.restart();
  assert.equal((await driver.read(copied)).length, input.length);

  const lines: HistoryLine[] = [];
  const store = memoryAdapter();
  const adapter = recordHistory(store, { process: "one", write: (line) => lines.push(line) });
  await using app = createApp({ name: "told", adapter });
  await using producer = await app.producer(orders);
  await producer.sendAll(input);
  await producer.end();
  await (await app.run(copy)).done;
  lines.push(...(await contentsOf(store, touchedBy(lines))));
  assert.deepEqual(checkHistory(lines, { isDrained: true }).violations, []);
}

/** What adapters and tools are made of. */
async function tryPieces(): Promise<void> {
  const hour: Duration = "1 h";
  assert.deepEqual(parseDuration(hour), E.right(3_600_000));
  assert.throws(
    () => topic("{orders}", { codec: json(Order), key: null }),
    (error) => error instanceof MillraceError && error._tag === "InvalidName" && error.code === "MR_INVALID_NAME",
  );
  assert.deepEqual([isName("orders"), murmur2("21"), partitionOf("21", 1)], [true, -973932308, 0]);
  assert.ok(compareOffsets(BEFORE_FIRST, offsetOf("1-0", 0)) < 0);
  assert.equal(entryIdOf(offsetOf("1-0", 3)), "1-0");
  assert.equal(portError("Unavailable", "nobody answers").retriable, true);
  const clock = createVirtualClock(0);
  const woken = sleep(clock, 1_000);
  await clock.advance(1_000);
  await woken;
  assert.ok(systemClock.now() > clock.now());
  const codec: Codec<Order> = json(Order);
  assert.ok(E.isLeft(codec.decode("{}")));
  assert.match(job.toText(), /^stream orders .*\n {2}filter/);
  const redis: Adapter = redisAdapter({ url: "not a URL" });
  assert.ok(E.isLeft(await redis.open()()));
}

await runJob();
await tryOperators();
await tryFp();
await tryTesting();
await tryPieces();
process.stdout.write(`${JSON.stringify({ ok: true })}\n`);
