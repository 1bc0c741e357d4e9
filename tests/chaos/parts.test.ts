import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { union, without } from "../../chaos/src/check/intervals.ts";
import { compareOffsets } from "../../chaos/src/check/offsets.ts";
import { GUARDS, withoutGuard } from "../../chaos/src/guards.ts";
import { startProxy } from "../../chaos/src/proxy.ts";
import { FULL_MIX, type Step, schedule } from "../../chaos/src/schedule.ts";

describe("the schedule", () => {
  function steps(seed: number): readonly Step[] {
    const all = schedule({ seed, sessionMs: 1_000, mix: FULL_MIX, gapMs: 1_000, takeOvers: 0.5 });
    return Array.from({ length: 500 }, () => all.next().value);
  }

  it("is the same for the same seed, and another one for another", () => {
    expect(steps(1)).toEqual(steps(1));
    expect(steps(1)).not.toEqual(steps(2));
  });

  it("holds every fault, and freezes for half a session to three", () => {
    expect(new Set(steps(3).map(({ kind }) => kind)).size).toBe(Object.keys(FULL_MIX).length);
    const durations = steps(3).map(({ durationMs }) => durationMs);
    expect(Math.min(...durations)).toBeGreaterThanOrEqual(500);
    expect(Math.min(...durations)).toBeLessThan(600);
    expect(Math.max(...durations)).toBeLessThan(3_000);
    expect(Math.max(...durations)).toBeGreaterThan(2_900);
  });
});

describe("a guard", () => {
  const source = readFileSync(new URL("../../packages/redis-adapter/src/scripts/commit.ts", import.meta.url), "utf8");

  it.each(Object.entries(GUARDS))("%s can be taken out of the commit script", (guard, markers) => {
    const changed = withoutGuard(guard, source);
    expect(changed.lines).toBe(markers.length);
    expect(changed.source.split("\n")).toHaveLength(source.split("\n").length - markers.length);
    for (const marker of markers) {
      expect(source).toContain(`-- guard: ${marker}\n`);
      expect(changed.source).not.toContain(`-- guard: ${marker}\n`);
    }
  });

  it("whose marker is missing, or there twice, is an error", () => {
    expect(() => withoutGuard("nonce", "return 1")).toThrow("is there 0 times");
    expect(() => withoutGuard("nonce", "a -- guard: nonce\nb -- guard: nonce")).toThrow("is there 2 times");
    expect(() => withoutGuard("luck", source)).toThrow('no safeguard is called "luck"');
  });
});

describe("the proxy", () => {
  /** A server that answers each piece of text with itself in brackets. */
  async function echo(): Promise<{ readonly server: Server; readonly port: number; readonly heard: string[] }> {
    const heard: string[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => {
        heard.push(data.toString());
        socket.write(`[${data.toString()}]`);
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return { server, port: (server.address() as AddressInfo).port, heard };
  }

  async function client(url: string): Promise<{ readonly socket: Socket; readonly text: () => string }> {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (data) => {
      text += data.toString();
    });
    await once(socket, "connect");
    return { socket, text: () => text };
  }

  it("holds both directions, and delivers late what a client has sent that is gone", async () => {
    const { server, port, heard } = await echo();
    await using proxy = await startProxy(port);
    const [one, other] = [await client(proxy.url), await client(proxy.url)];
    one.socket.write("a");
    await expect.poll(one.text).toBe("[a]");
    other.socket.write("b");
    await expect.poll(other.text).toBe("[b]");
    proxy.hold();
    one.socket.write("c");
    other.socket.write("d");
    await pause(30);
    one.socket.destroy();
    await pause(30);
    expect(heard).toEqual(["a", "b"]);
    proxy.release();
    await expect.poll(() => heard.toSorted()).toEqual(["a", "b", "c", "d"]);
    await expect.poll(other.text).toBe("[b][d]");
    other.socket.destroy();
    server.close();
  });

  it("lets requests pass and loses replies, then breaks the connections; new ones work", async () => {
    const { server, port, heard } = await echo();
    await using proxy = await startProxy(port);
    const { socket, text } = await client(proxy.url);
    proxy.swallowReplies();
    socket.write("a");
    await expect.poll(() => heard).toEqual(["a"]);
    const closed = once(socket, "close");
    proxy.breakAll();
    await closed;
    expect(text()).toBe("");
    const next = await client(proxy.url);
    next.socket.write("b");
    await expect.poll(next.text).toBe("[b]");
    next.socket.destroy();
    server.close();
  });
});

describe("what the checker computes with", () => {
  it("joins and takes away intervals", () => {
    const span = (fromMs: number, toMs: number): { readonly fromMs: number; readonly toMs: number } => ({
      fromMs,
      toMs,
    });
    expect(union([span(5, 7), span(1, 3), span(2, 4), span(9, 9)])).toEqual([span(1, 4), span(5, 7)]);
    expect(without([span(0, 10)], [span(2, 3), span(9, 12)])).toEqual([span(0, 2), span(3, 9)]);
  });

  it("compares offsets as numbers", () => {
    expect(compareOffsets("10-0/0", "9-5/0")).toBe(1);
    expect(compareOffsets("9-10/0", "9-9/0")).toBe(1);
    expect(compareOffsets("9-9/0", "9-9/0")).toBe(0);
    expect(compareOffsets("9-9/0", "9-9/1")).toBe(-1);
  });
});
