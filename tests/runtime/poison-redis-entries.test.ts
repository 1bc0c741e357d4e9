/** Entries that somebody else adds to a topic with any client: each policy of the stream, and what the letters hold. */
import { setTimeout as pause } from "node:timers/promises";
import { type DeadLetter, type FailureDecision, partitionOf } from "@millrace/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../../packages/redis-adapter/test/support/redis-server.ts";
import { buildWorkers, Cluster, numbered, numbersIn, until } from "./support/poison-cluster.ts";
import { madeOf, PARTITIONS } from "./support/poison-plan.ts";

const TIMEOUT_MS = 60_000;
const KEY = "key-3";
const PARTITION = partitionOf(KEY, PARTITIONS);
const HEAD = `1;1000100;;${KEY}`;

/** What lies in the log, the key that it has, and what a letter of it holds. */
interface Rubbish {
  readonly name: string;
  readonly fields: readonly (string | Buffer)[];
  readonly key: string;
  readonly input: string;
  /** Whether it is a record, whose text a codec may understand. */
  readonly isRecord: boolean;
}

const record = (name: string, text: string): Rubbish => ({
  name,
  fields: ["m", HEAD, "v", text],
  key: KEY,
  input: text,
  isRecord: true,
});
const NOT_TEXT = Buffer.from([0x7b, 0xff, 0xfe, 0x00]);
const AS_BASE64 = { base64: NOT_TEXT.toString("base64") };

const RUBBISH: readonly Rubbish[] = [
  record("no JSON", "{oops"),
  record("no text", ""),
  record("a field of another type", `{"key":"${KEY}","n":"7"}`),
  record("a missing field", `{"key":"${KEY}"}`),
  record("another kind of value", "[1,2,3]"),
  {
    name: "a payload that is no UTF-8",
    fields: ["m", HEAD, "v", NOT_TEXT],
    key: KEY,
    input: JSON.stringify(["m", HEAD, "v", AS_BASE64]),
    isRecord: false,
  },
  {
    name: "headers that are no JSON",
    fields: ["m", HEAD, "v", `{"key":"${KEY}","n":7}`, "h", "x"],
    key: KEY,
    input: JSON.stringify(["m", HEAD, "v", `{"key":"${KEY}","n":7}`, "h", "x"]),
    isRecord: false,
  },
  {
    name: "a foreign entry",
    fields: ["name", "Ada", "age", "36"],
    key: "",
    input: '["name","Ada","age","36"]',
    isRecord: false,
  },
  {
    name: "a foreign entry that is no text",
    fields: [NOT_TEXT, NOT_TEXT],
    key: "",
    input: JSON.stringify([AS_BASE64, AS_BASE64]),
    isRecord: false,
  },
  {
    name: "a missing payload",
    fields: ["m", HEAD],
    key: "",
    input: JSON.stringify(["m", HEAD]),
    isRecord: false,
  },
];

const BEFORE = numbered(100);
const ALL = numbered(200);
const allNumbers = ALL.map(({ n }) => n);
const ofKey = (n: number): boolean => `key-${n % 11}` === KEY;
const isBeside = (n: number): boolean => partitionOf(`key-${n % 11}`, PARTITIONS) === PARTITION;
const texts = (letters: readonly DeadLetter[]): readonly (readonly [string, string])[] =>
  letters.map(({ key, input }) => [key, input]);

let redis: RedisServer;

beforeAll(async () => {
  await buildWorkers();
  redis = await startRedis();
}, TIMEOUT_MS);

afterAll(() => redis?.stop());

/** A topic with items, the rubbish behind half of them in one partition. */
async function withRubbish(undecodable: FailureDecision, rubbish: readonly Rubbish[]): Promise<Cluster> {
  const cluster = await Cluster.make(redis, { undecodable });
  await cluster.send(BEFORE);
  for (const { fields } of rubbish) {
    await cluster.add(PARTITION, ...fields);
  }
  await cluster.send(ALL);
  return cluster;
}

describe("entries of somebody else", { timeout: TIMEOUT_MS }, () => {
  it("are dropped and counted, and everything else is processed (skip)", async () => {
    await using cluster = await withRubbish("skip", RUBBISH);
    await cluster.start();
    await cluster.untilCommitted(ALL.length + RUBBISH.length);
    expect(numbersIn(await cluster.written())).toEqual(allNumbers);
    expect(cluster.pick("Skipped").map(({ node }) => node)).toEqual(RUBBISH.map(() => "source"));
    expect(
      await cluster
        .letters()
        .list()
        .catch((error: unknown) => error),
    ).toEqual([]);
  });

  it("are letters with all that lies in the log, to the byte, also when the worker is killed meanwhile (deadLetter)", async () => {
    await using cluster = await withRubbish("deadLetter", RUBBISH);
    const first = await cluster.start();
    await until("it is at work", () => cluster.pick("DeadLettered").length > 2);
    await first.kill();
    await cluster.start();
    await cluster.untilCommitted(ALL.length + RUBBISH.length);
    expect(numbersIn(await cluster.written())).toEqual(allNumbers);
    const letters = await cluster.letters().list();
    expect(texts(letters)).toEqual(RUBBISH.map(({ key, input }) => [key, input]));
    expect(letters.every(({ errors }) => errors[0]?.name === "DecodeError")).toBe(true);
    // The version that cannot read them tries in vain.
    expect(await cluster.letters().redrive({ all: true })).toEqual({ done: 0, remaining: RUBBISH.length, waiting: 0 });
    expect(await cluster.letters().list()).toEqual(letters);
  });

  it("are processed when their letters are redriven by a version whose codec understands them (deadLetter)", async () => {
    const records = RUBBISH.filter(({ isRecord }) => isRecord);
    await using cluster = await withRubbish("deadLetter", records);
    const first = await cluster.start();
    await cluster.untilCommitted(ALL.length + records.length);
    await first.stop();
    await cluster.start(true);
    expect(await cluster.letters(true).redrive({ all: true })).toEqual({
      done: records.length,
      remaining: 0,
      waiting: 0,
    });
    const made = records.map(({ input }) => madeOf(input).n);
    expect(numbersIn(await cluster.written())).toEqual([...made, ...allNumbers].toSorted((a, b) => a - b));
  });

  it("park the key that they have: what follows of it waits, and what has no key waits for nobody (park)", async () => {
    const withKey = RUBBISH.filter(({ key }) => key === KEY);
    await using cluster = await withRubbish("park", RUBBISH);
    await cluster.start();
    await cluster.untilCommitted(ALL.length + RUBBISH.length);
    const isBehind = (n: number): boolean => ofKey(n) && n >= BEFORE.length;
    expect(numbersIn(await cluster.written())).toEqual(allNumbers.filter((n) => !isBehind(n)));
    const letters = await cluster.letters().list({ key: KEY });
    expect(letters.map(({ input }) => input)).toEqual([
      ...withKey.map(({ input }) => input),
      ...ALL.filter(({ n }) => isBehind(n)).map((item) => JSON.stringify(item)),
    ]);
    expect(letters.map(({ isBehind: behind }) => behind)).toEqual(letters.map((_, index) => index > 0));
    await cluster.letters().discard({ ids: letters.slice(0, withKey.length).map(({ id }) => id) });
    const rest = letters.length - withKey.length;
    expect(await cluster.letters().redrive({ key: KEY })).toEqual({ done: rest, remaining: 0, waiting: 0 });
    expect(numbersIn(await cluster.written())).toEqual(allNumbers);
  });

  it.each<FailureDecision>(["fail", "quarantine"])(
    "stop their partition, and no other, until a version runs whose codec understands them (%s)",
    async (policy) => {
      const records = RUBBISH.filter(({ isRecord }) => isRecord);
      await using cluster = await withRubbish(policy, records);
      const first = await cluster.start();
      const inFront = allNumbers.filter((n) => n < BEFORE.length || !isBeside(n));
      await cluster.untilCommitted(inFront.length);
      await pause(500);
      expect(numbersIn(await cluster.written())).toEqual(inFront);
      expect(cluster.pick(policy === "fail" ? "Restarting" : "Quarantined").length).toBeGreaterThan(0);
      await first.stop();
      await cluster.start(true);
      const resumed = policy === "quarantine" ? await cluster.app.resume(cluster.plan(true)) : null;
      expect(resumed).toBe(policy === "quarantine" ? 1 : null);
      await cluster.untilCommitted(ALL.length + records.length);
      const made = records.map(({ input }) => madeOf(input).n);
      expect(numbersIn(await cluster.written())).toEqual([...made, ...allNumbers].toSorted((a, b) => a - b));
    },
  );

  it("that are no records stay letters, whatever the codec makes of their text: it never saw what they are", async () => {
    const foreign = RUBBISH.filter(({ isRecord }) => !isRecord);
    await using cluster = await withRubbish("deadLetter", foreign);
    await cluster.start(true);
    await cluster.untilCommitted(ALL.length + foreign.length);
    expect(texts(await cluster.letters(true).list())).toEqual(foreign.map(({ key, input }) => [key, input]));
    expect(await cluster.letters(true).redrive({ all: true })).toEqual({
      done: 0,
      remaining: foreign.length,
      waiting: 0,
    });
    expect(numbersIn(await cluster.written())).toEqual(allNumbers);
  });
});
