import { appOf } from "../millrace.ts";
import { partitionKeys, tickTopic } from "./ticks.ts";

/** Ticks fall due this often: a few at a time, so that the load is even. */
const TURN_MS = 2;

/** What a load can be asked for. It answers `stop`, when all is stored, with how many ticks it has sent. */
export type LoadRequest = "start" | "stop";

/** Ticks at a constant rate, over all partitions in turn: `<url> <partitions> <records per second>`. */
export async function openLoad(args: readonly string[]): Promise<(request: unknown) => Promise<number>> {
  const [url = "", partitions = "", rate = ""] = args;
  const keys = partitionKeys(Number(partitions));
  const app = appOf(url, "load");
  const producer = await app.producer(tickTopic(keys.length));
  let sent = 0;
  let failure: { readonly error: unknown } | null = null;
  let timer: NodeJS.Timeout | undefined;
  const sendDue = (due: number): void => {
    while (sent < due) {
      const tick = { key: keys[sent % keys.length] ?? "", n: Math.floor(sent / keys.length) };
      sent += 1;
      producer.send(tick).catch((error: unknown) => {
        failure ??= { error };
      });
    }
  };
  return async (request) => {
    if (request === "start") {
      const startMs = performance.now();
      timer = setInterval(() => sendDue(((performance.now() - startMs) * Number(rate)) / 1_000), TURN_MS);
      return sent;
    }
    clearInterval(timer);
    await producer.close();
    if (failure !== null) {
      throw failure.error;
    }
    return sent;
  };
}
