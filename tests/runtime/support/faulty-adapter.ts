import { type Adapter, type Clock, type PortError, type Ports, portError, type Reader, sleep } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";

/** A generator of numbers in [0, 1) from a seed (mulberry32): failures can be repeated. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An adapter whose calls fail now and then, and which can crash: then no call has an effect or an answer any more. */
export interface FaultyAdapter extends Adapter {
  crash(): void;
  /** From now on every call is refused, as by a server that is down; or every call of one port. */
  cut(port?: keyof Ports): void;
  /** From now on no call goes out and no answer comes in, as for a process that is suspended; they wait. */
  freeze(): void;
  /** Ends a {@link cut} and a {@link freeze}. */
  mend(): void;
}

type Call<A> = () => Promise<E.Either<PortError, A>>;

/** What can go wrong, and how often. */
export interface Faults {
  readonly seed: number;
  /** How likely a call is refused, and how likely it loses its reply. */
  readonly rate: number;
  /** Calls take up to so long, at random, before and after their effect. */
  readonly latency?: { readonly clock: Clock; readonly maxMs: number };
  /** No hint arrives. */
  readonly isDeaf?: boolean;
}

/**
 * Puts faults in front of an adapter: each call is refused without an effect with probability `rate`, and with the same
 * probability has its effect and loses its reply. Reads are only refused.
 */
export function faultyAdapter(inner: Adapter, faults: Faults): FaultyAdapter {
  const next = random(faults.seed);
  const { latency } = faults;
  const travel = async (): Promise<void> => {
    if (latency !== undefined && latency.maxMs > 0) {
      await sleep(latency.clock, Math.floor(next() * latency.maxMs));
    }
  };
  const never = new Promise<never>(() => {});
  let isCrashed = false;
  let cutPort: keyof Ports | "all" | null = null;
  let thawed = Promise.resolve();
  let thaw = (): void => {};
  const opened: Ports[] = [];
  const isRefused = (port: keyof Ports): boolean => cutPort === "all" || cutPort === port || next() < faults.rate;
  const lost = (): E.Either<PortError, never> => E.left(portError("Unavailable", "a fault of the test"));

  const faulty =
    <A>(port: keyof Ports, call: Call<A>): Call<A> =>
    async () => {
      await travel();
      await thawed;
      if (isCrashed) {
        return never;
      }
      if (isRefused(port)) {
        return lost();
      }
      const result = await call();
      await travel();
      await thawed;
      if (isCrashed) {
        return never;
      }
      return next() < faults.rate ? lost() : result;
    };

  const wrap = <P extends object>(as: keyof Ports, port: P): P =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") {
          return method;
        }
        switch (name) {
          case "watch":
            return faults.isDeaf ? () => () => {} : method.bind(target);
          case "reader":
            return (...args: unknown[]) => faultyReader(method.apply(target, args) as Reader);
          default:
            return (...args: unknown[]) => faulty(as, method.apply(target, args) as Call<unknown>);
        }
      },
    });

  const faultyReader = (reader: Reader): Reader => ({
    next: async (budget) => {
      await thawed;
      if (isCrashed) {
        return never;
      }
      if (isRefused("log")) {
        return E.left(portError("Unavailable", "a fault of the test"));
      }
      const batch = await reader.next(budget);
      await thawed;
      return isCrashed ? never : batch;
    },
    close: () => reader.close(),
  });

  return {
    name: `${inner.name} with faults`,
    open: () => async () => {
      const ports = await inner.open()();
      if (E.isLeft(ports)) {
        return ports;
      }
      opened.push(ports.right);
      const { log, tasks, group, state } = ports.right;
      return TE.right({
        log: wrap("log", log),
        tasks: wrap("tasks", tasks),
        group: wrap("group", group),
        state: wrap("state", state),
        close: () => ports.right.close(),
      })();
    },
    cut: (port) => {
      cutPort = port ?? "all";
    },
    freeze: () => {
      const release = thaw;
      thawed = new Promise((resolve) => {
        thaw = () => {
          release();
          resolve();
        };
      });
    },
    mend: () => {
      cutPort = null;
      thaw();
    },
    crash: () => {
      isCrashed = true;
      thaw();
      // A process that is gone holds no reader open.
      for (const ports of opened) {
        void ports.close();
      }
    },
  };
}
