/** Refuses a server that would lose data, before anything is written to it. */
import { portError, type Refused, type Unavailable } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { Connection } from "./connection.ts";
import { isForbidden } from "./errors.ts";
import { textIn } from "./reply.ts";

const MINIMUM_MAJOR = 7;

/**
 * Looks at version, role, cluster mode and eviction policy, as INFO tells them. A user who may not run INFO (NOPERM)
 * gets no such check: then the operator answers for these four. Rejects with the connection's errors.
 */
export async function preflight(connection: Connection, where: string): Promise<E.Either<Refused | Unavailable, void>> {
  const info = await infoOf(connection);
  if (info === null) {
    return E.right(undefined);
  }
  if (info.get("loading") === "1") {
    return E.left(portError("Unavailable", `Redis at ${where} is still loading its data. Try again`));
  }
  const problem = problemIn(info);
  return problem === null
    ? E.right(undefined)
    : E.left(portError("Refused", `Cannot use Redis at ${where}: ${problem}`));
}

async function infoOf(connection: Connection): Promise<ReadonlyMap<string, string> | null> {
  try {
    return parse(textIn(await connection.send("info", [])));
  } catch (error) {
    if (isForbidden(error)) {
      return null;
    }
    throw error;
  }
}

function parse(info: string): ReadonlyMap<string, string> {
  const lines = info.split("\r\n").filter((line) => !line.startsWith("#") && line.includes(":"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

function problemIn(info: ReadonlyMap<string, string>): string | null {
  const version = info.get("redis_version") ?? "";
  if (version !== "" && Number.parseInt(version, 10) < MINIMUM_MAJOR) {
    return `its version is ${version}, and Millrace needs ${MINIMUM_MAJOR}.0 or newer. Upgrade the server`;
  }
  if (info.get("cluster_enabled") === "1") {
    return "it runs in cluster mode, which Millrace does not support yet. Use a server with cluster-enabled no";
  }
  const role = info.get("role") ?? "master";
  if (role !== "master") {
    return "it is a replica, which takes no writes. Connect to its master";
  }
  const policy = info.get("maxmemory_policy") ?? "";
  if (policy.startsWith("allkeys-")) {
    return (
      `its maxmemory-policy is ${policy}, so it may delete records and state when memory is short. ` +
      "Run: CONFIG SET maxmemory-policy noeviction (and set it in the server's configuration file)"
    );
  }
  return null;
}
