import { Redis } from "ioredis";
import type { Address } from "./endpoint.ts";
import { isForbidden, NoAnswer } from "./errors.ts";

/** Where a client connects to, and as whom. */
export interface ClientOptions {
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly address: Address;
}

/** A client that is connected and logged in. */
export interface Client {
  readonly redis: Redis;
  /** What CLIENT UNBLOCK wants; `null` where the user may not ask for it. */
  readonly id: string | null;
}

const CONNECT_WITHIN_MS = 3_000;

/**
 * Connects once. Rejects with what the driver or the server said, or with `NoAnswer`, after at most about 3 s, or when the
 * signal aborts.
 */
export async function newClient({ name, address }: ClientOptions, signal?: AbortSignal): Promise<Client> {
  const redis = new Redis({
    ...address,
    connectionName: name,
    lazyConnect: true,
    connectTimeout: CONNECT_WITHIN_MS,
    keepAlive: 5_000,
    disconnectTimeout: 50,
    // `Connection` reconnects; the driver must neither do so nor keep calls for later.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Its INFO would be one more permission to need; the preflight looks at what matters.
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  // Errors of the handshake (AUTH, SELECT) and of the socket are told to listeners only.
  const errors: unknown[] = [];
  redis.on("error", (error: unknown) => errors.push(error));
  const deadline = setTimeout(() => {
    errors.push(new NoAnswer("timeout", `Redis did not answer the handshake within ${CONNECT_WITHIN_MS} ms`));
    redis.disconnect();
  }, CONNECT_WITHIN_MS + 100);
  const giveUp = (): void => {
    errors.push(new NoAnswer("closed", "the adapter was closed"));
    redis.disconnect();
  };
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    if (signal?.aborted === true) {
      giveUp();
    }
    await redis.connect();
    const id = await clientId(redis);
    if (errors.length > 0) {
      throw errors[0];
    }
    return { redis, id };
  } catch (error) {
    redis.disconnect();
    throw errors[0] ?? error;
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener("abort", giveUp);
    errors.length = 0;
  }
}

/** Also the proof that the server answers and that the user is logged in. */
async function clientId(redis: Redis): Promise<string | null> {
  try {
    return String(await redis.call("client", ["id"]));
  } catch (error) {
    if (isForbidden(error)) {
      return null;
    }
    throw error;
  }
}
