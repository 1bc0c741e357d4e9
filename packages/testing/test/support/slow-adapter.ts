import { setImmediate } from "node:timers/promises";
import type { Adapter, Ports } from "@millrace/core";
import { memoryAdapter } from "../../src/memory-adapter.ts";

/** Somebody else's adapter: that in memory, which takes its time for every answer. */
export function slowAdapter(): Adapter {
  const adapter = memoryAdapter();
  const slowly = (ports: Ports): Ports => ({
    log: slow(ports.log),
    tasks: slow(ports.tasks),
    group: slow(ports.group),
    state: slow(ports.state),
    close: () => ports.close(),
  });
  return {
    name: `slow ${adapter.name}`,
    open: () => async () => {
      const opened = await adapter.open()();
      return opened._tag === "Left" ? opened : { ...opened, right: slowly(opened.right) };
    },
  };
}

/** The port, with calls whose answers come a turn of the event loop later. Readers and listeners are as they were. */
function slow<Port extends object>(port: Port): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...args: readonly unknown[]) => unknown;
      return (...args: readonly unknown[]): unknown => {
        const made = method.apply(target, [...args]);
        return typeof made === "function" && name !== "watch" ? late(made as () => Promise<unknown>) : made;
      };
    },
  });
}

function late(call: () => Promise<unknown>): () => Promise<unknown> {
  return async () => {
    const answer = await call();
    await setImmediate();
    return answer;
  };
}
