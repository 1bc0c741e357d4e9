import type { Connection } from "../connection.ts";
import { isUnknownScript } from "../errors.ts";
import type { Script } from "./script.ts";

/**
 * Runs a script by its digest, and sends its source when the server does not know it: after a restart, a failover or
 * SCRIPT FLUSH (https://redis.io/docs/latest/develop/programmability/eval-intro/). A script that is unknown has not run.
 */
export async function runScript(
  connection: Connection,
  { source, sha }: Script,
  { keys, args }: { readonly keys: readonly string[]; readonly args: readonly string[] },
): Promise<unknown> {
  try {
    return await connection.send("evalsha", [sha, String(keys.length), ...keys, ...args]);
  } catch (error) {
    if (!isUnknownScript(error)) {
      throw error;
    }
    return connection.send("eval", [source, String(keys.length), ...keys, ...args]);
  }
}
