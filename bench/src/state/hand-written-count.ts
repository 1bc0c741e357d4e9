/** A keyed count as one writes it with ioredis and no library, without its error handling: in two ways. */
import type { Redis } from "ioredis";
import { BATCH } from "../hand-written.ts";
import { parseVisit } from "./visits.ts";

/** What one partition is counted with. */
interface Place {
  readonly log: string;
  readonly out: string;
  /** Hash: key → count. */
  readonly counts: string;
  /** Text: the id of the last record that was counted. */
  readonly position: string;
}

/** What is counted, and where to. */
export interface CountRequest {
  readonly logs: readonly string[];
  /** Begins the names of all that is written. */
  readonly id: string;
}

/** Counts the records of a batch: writes the counts, an output each, and the position. */
type Handle = (place: Place, batch: Batch) => Promise<void>;

interface Batch {
  readonly keys: readonly string[];
  readonly lastId: string;
}

/** The streams that are written. */
export function outsOf({ logs, id }: CountRequest): string[] {
  return logs.map((_, partition) => `${id}:${partition}:out`);
}

/** Reads every stream to its end, side by side. */
async function countAll(redis: Redis, request: CountRequest, handle: Handle): Promise<void> {
  const { id } = request;
  const outs = outsOf(request);
  const work = request.logs.map((log, partition) => {
    const out = outs[partition] ?? "";
    return countOne(redis, { log, out, counts: `${id}:${partition}:n`, position: `${id}:${partition}:at` }, handle);
  });
  await Promise.all(work);
}

async function countOne(redis: Redis, place: Place, handle: Handle): Promise<void> {
  let lastId = (await redis.get(place.position)) ?? "0";
  for (;;) {
    const reply = await redis.xread("COUNT", BATCH, "STREAMS", place.log, lastId);
    const entries = reply?.[0]?.[1] ?? [];
    lastId = entries.at(-1)?.[0] ?? "";
    if (lastId === "") {
      return;
    }
    const keys = entries.map(([, fields]) => parseVisit(fields[fields.indexOf("v") + 1] ?? "").key);
    await handle(place, { keys, lastId });
  }
}

/** Two pipelines: a crash between them counts the batch again. */
export function countWithPipelines(redis: Redis, request: CountRequest): Promise<void> {
  return countAll(redis, request, async ({ out, counts, position }, { keys, lastId }) => {
    const increments = redis.pipeline();
    for (const key of keys) {
      increments.hincrby(counts, key, 1);
    }
    const replies = (await increments.exec()) ?? [];
    const writes = redis.pipeline();
    for (const [index, key] of keys.entries()) {
      writes.xadd(out, "*", "v", JSON.stringify({ key, value: { n: replies[index]?.[1] } }));
    }
    writes.set(position, lastId);
    await writes.exec();
  });
}

/**
 * KEYS 1 counts, 2 out, 3 position; ARGV 1 id of the last record, then the keys. Counts, writes an output each and the position,
 * all or nothing.
 */
const COUNT = `
for i = 2, #ARGV do
  local n = redis.call('HINCRBY', KEYS[1], ARGV[i], 1)
  redis.call('XADD', KEYS[2], '*', 'v', '{"key":' .. cjson.encode(ARGV[i]) .. ',"value":{"n":' .. n .. '}}')
end
redis.call('SET', KEYS[3], ARGV[1])
`;

/** One script: atomic, but only what a script can say can be counted. */
export async function countWithScript(redis: Redis, request: CountRequest): Promise<void> {
  const sha = String(await redis.script("LOAD", COUNT));
  await countAll(redis, request, async ({ out, counts, position }, { keys, lastId }) => {
    await redis.evalsha(sha, 3, counts, out, position, lastId, ...keys);
  });
}
