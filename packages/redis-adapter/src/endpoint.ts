/** Where Redis is, read from a URL once, so that the rest of the adapter never holds text with a password in it. */

import { portError, type Refused } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";

/** How the driver is told where to connect; holds the password. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** There for TLS. */
  readonly tls?: Record<string, never>;
}

/** A server, to connect to and to speak of. */
export interface Endpoint {
  /** For messages: without the password. */
  readonly name: string;
  readonly address: Address;
}

/**
 * Reads `redis://[user[:password]@]host[:port][/database]`, or `rediss://` for TLS. `Refused` for anything else; the
 * message never quotes the URL.
 */
export function endpointOf(url: string): E.Either<Refused, Endpoint> {
  const parsed = parse(url);
  const problem = parsed === null ? "it is not a URL" : problemIn(parsed);
  if (parsed === null || problem !== null) {
    const form = "redis://[user[:password]@]host[:port][/database]";
    return E.left(portError("Refused", `redisAdapter: the url is not usable: ${problem}. It has the form ${form}`));
  }
  const port = parsed.port === "" ? 6379 : Number(parsed.port);
  const db = Number(parsed.pathname.slice(1));
  const [username, password] = [decoded(parsed.username) ?? "", decoded(parsed.password) ?? ""];
  return E.right({
    name: `${parsed.protocol}//${shownUser(parsed)}${parsed.hostname}:${port}${db === 0 ? "" : `/${db}`}`,
    address: {
      host: parsed.hostname.replace(/^\[|\]$/g, ""),
      port,
      db,
      ...(username === "" ? {} : { username }),
      ...(password === "" ? {} : { password }),
      ...(parsed.protocol === "rediss:" ? { tls: {} } : {}),
    },
  });
}

function problemIn({ protocol, hostname, pathname, search, hash, username, password }: URL): string | null {
  if (protocol !== "redis:" && protocol !== "rediss:") {
    return "it does not begin with redis:// or rediss://";
  }
  if (hostname === "") {
    return "it names no host";
  }
  if (!/^\/?\d{0,4}$/.test(pathname) || search !== "" || hash !== "") {
    return "only the number of a database may follow the host";
  }
  if (decoded(username) === null || decoded(password) === null) {
    return "its user name or password is not percent-encoded correctly";
  }
  return null;
}

function shownUser({ username, password }: URL): string {
  return username === "" && password === "" ? "" : `${username}${password === "" ? "" : ":***"}@`;
}

function parse(url: string): URL | null {
  try {
    return new URL(url);
  } catch {
    return null;
  }
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
