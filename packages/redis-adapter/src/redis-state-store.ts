import type { StateStore } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { needsNoRoom } from "./call-script.ts";
import type { Connection } from "./connection.ts";
import { failureOf } from "./errors.ts";
import type { Keys } from "./keys.ts";
import { listOf, pairsOf, textIn } from "./reply.ts";

/** Roughly how many keys a page holds. A small store comes as one page whatever it holds. */
const PAGE_KEYS = 1_000;

/**
 * Stores of tasks as one hash each, read with HSCAN. `connection` is the one that commits: the server answers it in
 * order, so that a read never overtakes a commit.
 */
export function redisStateStore(connection: Connection, keys: Keys): StateStore {
  return {
    scan: ({ group, topic, partition }, store, cursor) =>
      needsNoRoom(async () => {
        const key = keys.state(topic.name, partition, group, store);
        try {
          const reply = await connection.send("hscan", [key, cursor ?? "0", "COUNT", `${PAGE_KEYS}`]);
          const [next, flat] = listOf(reply);
          const rest = textIn(next);
          return E.right({ entries: pairsOf(flat), cursor: rest === "0" ? null : rest });
        } catch (error) {
          return E.left(failureOf(error, `reading store ${store} of ${group} in ${topic.name}/${partition}`));
        }
      }),
  };
}
