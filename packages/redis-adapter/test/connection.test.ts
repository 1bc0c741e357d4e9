import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { Connection } from "../src/connection.ts";

it("a connection that is closed while it connects to a server that never answers lets go of it at once", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const connection = Connection.start({
    name: "test",
    address: { host: "127.0.0.1", port, db: 0 },
    answerWithinMs: 1_000,
  });
  const [socket] = await accepted;
  // As a server does: what the client asks is read, and its end noticed.
  socket.resume();
  const startMs = performance.now();
  connection.close();
  await once(socket, "close");
  expect(performance.now() - startMs).toBeLessThan(2_000);
  server.close();
});
