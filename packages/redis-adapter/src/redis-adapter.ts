import { type Adapter, type Ports, portError, type Refused, type Unavailable } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { createBlockingPool } from "./blocking-pool.ts";
import { type Connections, openConnections } from "./connections.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";
import { connectFailure } from "./errors.ts";
import { keysOf } from "./keys.ts";
import { preflight } from "./preflight.ts";
import { redisGroup } from "./redis-group.ts";
import { redisLog } from "./redis-log.ts";
import { redisStateStore } from "./redis-state-store.ts";
import { redisTasks } from "./redis-tasks.ts";
import { Subscriber } from "./subscriber.ts";
import { isName } from "./topic-spec.ts";

/** Where Redis is, and where in it. */
export interface RedisAdapterOptions {
  /**
   * `redis://[user[:password]@]host[:port][/database]`; `rediss://` for TLS, with the server's certificate verified.
   * Percent-encode what is not plain text in the password. It is never part of a message.
   */
  readonly url: string;
  /**
   * Begins the name of every key, so that several systems can share a server. 1 to 200 letters, digits, `.`, `_` and
   * `-`, beginning with a letter or a digit. Default: `"millrace"`.
   */
  readonly namespace?: string;
}

/**
 * Ports on one Redis server, version 7.0 or newer, or Valkey.
 *
 * `open()` answers `Refused` without any I/O for an unusable URL or namespace, and after a look at the server for wrong
 * credentials, a version that is too old, a replica, cluster mode, or an eviction policy that would delete records.
 * It answers `Unavailable` where nobody does, after at most about 4 s.
 *
 * @example
 * ```ts
 * const app = createApp({ name: "billing", adapter: redisAdapter({ url: "redis://localhost:6379" }) });
 * ```
 */
export function redisAdapter({ url, namespace = "millrace" }: RedisAdapterOptions): Adapter {
  const endpoint = endpointOf(url);
  const where = E.isRight(endpoint) ? endpoint.right.name : "an unusable URL";
  return {
    name: `Redis at ${where}, namespace ${isName(namespace) ? namespace : "unusable"}`,
    open: () => async () => {
      if (!isName(namespace)) {
        const rule = 'use 1 to 200 letters, digits, ".", "_" and "-", beginning with a letter or a digit';
        return E.left(portError("Refused", `redisAdapter: the namespace is not usable: ${rule}`));
      }
      return E.isLeft(endpoint) ? endpoint : openPorts(endpoint.right, namespace);
    },
  };
}

async function openPorts(endpoint: Endpoint, namespace: string): Promise<E.Either<Refused | Unavailable, Ports>> {
  let connections: Connections | undefined;
  try {
    connections = await openConnections(endpoint, namespace);
    const checked = await preflight(connections.commands, endpoint.name);
    if (E.isLeft(checked)) {
      connections.close();
      return checked;
    }
    return E.right(portsOn(connections, namespace));
  } catch (error) {
    connections?.close();
    return E.left(connectFailure(error, endpoint.name));
  }
}

function portsOn(connections: Connections, namespace: string): Ports {
  const keys = keysOf(namespace);
  const pool = createBlockingPool(connections);
  const subscriber = new Subscriber((onConnected) => connections.hints(onConnected));
  return {
    log: redisLog({ connections, pool, keys }),
    tasks: redisTasks(connections, keys),
    group: redisGroup({ connection: connections.group, subscriber, keys }),
    state: redisStateStore(connections.commands, keys),
    close: () => {
      connections.close();
      pool.close();
      subscriber.close();
      return Promise.resolve();
    },
  };
}
