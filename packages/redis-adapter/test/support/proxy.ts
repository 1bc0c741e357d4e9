import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP connection in between, which can lose what it should pass on. */
export interface Proxy extends AsyncDisposable {
  readonly url: string;
  /** Replies that arrive from now on are lost, and nobody is told. */
  swallowReplies(): void;
  /** The connections of now carry nothing any more, and nobody is told; new ones work. */
  freeze(): void;
  /** Breaks all connections; new ones work. Replies are passed on again. */
  cut(): void;
}

/** A proxy on a free port of 127.0.0.1 in front of the server on `port`. */
export async function startProxy(port: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const frozen = new WeakSet<Socket>();
  let swallowing = false;
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => {
        if (!frozen.has(from) && (from === client || !swallowing)) {
          to.write(data);
        }
      });
      from.on("error", () => {}); // a cut is meant to hurt
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("no free port on 127.0.0.1");
  }
  const cut = (): void => {
    swallowing = false;
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  return {
    url: `redis://127.0.0.1:${address.port}`,
    swallowReplies: () => {
      swallowing = true;
    },
    freeze: () => {
      for (const socket of sockets) {
        frozen.add(socket);
      }
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
