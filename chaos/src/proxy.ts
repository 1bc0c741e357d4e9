import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP connection in between, which can fail as networks do. Disposing of it breaks and closes it. */
export interface TcpProxy extends AsyncDisposable {
  readonly url: string;
  /** From now on nothing arrives on either side, and new connections get no answer. */
  hold(): void;
  /** What was held arrives, also that of a side that has hung up meanwhile: packets do not know. */
  release(): void;
  /** Requests pass, replies are lost, until {@link breakAll}. */
  swallowReplies(): void;
  /** Breaks every connection; new ones work. */
  breakAll(): void;
}

type Mode = "pass" | "hold" | "swallow";

/** A proxy on a free port of 127.0.0.1 in front of the server on `port`. */
export async function startProxy(port: number): Promise<TcpProxy> {
  const links = new Set<Link>();
  let mode: Mode = "pass";
  const server = createServer((client) => {
    const link = new Link(client, port, () => mode);
    links.add(link);
    client.once("close", () => link.isOver() && links.delete(link));
    if (mode !== "hold") {
      link.open();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("no free port on 127.0.0.1");
  }
  const breakAll = (): void => {
    mode = "pass";
    for (const link of links) {
      link.destroy();
    }
    links.clear();
  };
  return {
    url: `redis://127.0.0.1:${address.port}`,
    hold: () => {
      mode = "hold";
    },
    release: () => {
      mode = "pass";
      for (const link of links) {
        link.flush();
      }
    },
    swallowReplies: () => {
      mode = "swallow";
    },
    breakAll,
    [Symbol.asyncDispose]: async () => {
      breakAll();
      if (server.listening) {
        server.close();
        await once(server, "close");
      }
    },
  };
}

/** A client's connection and the one to the server that belongs to it. */
class Link {
  private readonly client: Socket;
  private readonly port: number;
  private readonly mode: () => Mode;
  private upstream: Socket | null = null;
  private requests: Buffer[] = [];
  private replies: Buffer[] = [];
  private hasClientEnded = false;
  private hasServerEnded = false;

  constructor(client: Socket, port: number, mode: () => Mode) {
    this.client = client;
    this.port = port;
    this.mode = mode;
    client.setNoDelay(true);
    client.on("data", (data: Buffer) => this.requested(data));
    client.on("error", () => {}); // a fault is meant to hurt
    client.on("close", () => {
      this.hasClientEnded = true;
      this.endWhatIsOver();
    });
  }

  open(): void {
    const upstream = connect(this.port, "127.0.0.1");
    this.upstream = upstream;
    upstream.setNoDelay(true);
    upstream.on("data", (data: Buffer) => this.replied(data));
    upstream.on("error", () => {});
    upstream.on("close", () => {
      this.hasServerEnded = true;
      this.endWhatIsOver();
    });
  }

  flush(): void {
    if (this.upstream === null) {
      this.open();
    }
    for (const data of this.requests) {
      this.upstream?.write(data);
    }
    for (const data of this.replies) {
      this.client.write(data);
    }
    this.requests = [];
    this.replies = [];
    this.endWhatIsOver();
  }

  destroy(): void {
    this.client.destroy();
    this.upstream?.destroy();
  }

  /** Whether nothing of it is left to deliver. */
  isOver(): boolean {
    return this.requests.length === 0;
  }

  private requested(data: Buffer): void {
    if (this.mode() === "hold") {
      this.requests.push(data);
    } else {
      this.upstream?.write(data);
    }
  }

  private replied(data: Buffer): void {
    const mode = this.mode();
    if (mode === "hold") {
      this.replies.push(data);
    } else if (mode === "pass") {
      this.client.write(data);
    }
  }

  /** `end` lets what was written arrive first. */
  private endWhatIsOver(): void {
    if (this.mode() === "hold") {
      return;
    }
    if (this.hasClientEnded) {
      this.upstream?.end();
    }
    if (this.hasServerEnded) {
      this.client.end();
    }
  }
}
