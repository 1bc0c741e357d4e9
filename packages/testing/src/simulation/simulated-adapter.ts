import {
  type Adapter,
  type GroupHint,
  type Offset,
  type PortError,
  type Ports,
  portError,
  type ReadBudget,
  type Reader,
  type TopicInfo,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { type Cut, Link, type LinkEnds } from "./link.ts";

type Call = () => Promise<E.Either<PortError, unknown>>;

/** Somebody who listens to the hints of a group. */
interface Watcher {
  readonly group: string;
  readonly hear: (hint: GroupHint) => void;
  stop: () => void;
}

/** The links of one process: as an adapter for Redis has them, one for each kind of work. */
interface Links {
  readonly log: Link;
  /** Commits and reads of state, in the order of the calls. */
  readonly tasks: Link;
  readonly group: Link;
}

/**
 * An adapter whose calls travel over a simulated network to the store behind `inner`. Faults strike at the ports: see
 * {@link Link}.
 */
export class SimulatedAdapter implements Adapter {
  readonly name: string;
  readonly #inner: Adapter;
  readonly #ends: LinkEnds;
  readonly #links: Links;
  readonly #watchers = new Set<Watcher>();
  /** Of the store; opened again when that restarts. */
  #ports: Promise<Ports>;
  /** Counts restarts of the store: a reader of another life is opened again. */
  #life = 0;

  constructor(inner: Adapter, ends: LinkEnds) {
    this.name = `${inner.name}, simulated`;
    this.#inner = inner;
    this.#ends = ends;
    this.#links = { log: new Link(ends), tasks: new Link(ends), group: new Link(ends) };
    this.#ports = this.#openInner();
  }

  open(): ReturnType<Adapter["open"]> {
    return async () => {
      const { log, tasks, group, state } = await this.#ports;
      const { tasks: shared } = this.#links;
      return E.right({
        log: this.#overLink("log", log, this.#links.log),
        tasks: this.#overLink("tasks", tasks, shared),
        group: this.#overLink("group", group, this.#links.group),
        state: this.#overLink("state", state, shared),
        // What is under way goes on, as it does for a server whose client is gone; the store's sessions end with its life.
        close: () => Promise.resolve(),
      });
    };
  }

  /** Breaks every connection. */
  break(): void {
    for (const link of Object.values(this.#links) as Link[]) {
      link.break();
    }
  }

  /** From now on messages do not get through; `"none"`: they do again. */
  cut(cut: Cut): void {
    for (const link of Object.values(this.#links) as Link[]) {
      link.cut = cut;
      if (cut !== "none") {
        link.break();
      }
    }
  }

  /** The store restarts: what is under way is lost, and so are its sessions. */
  restartStore(): void {
    this.#life += 1;
    void closePorts(this.#ports);
    this.#ports = this.#openInner();
    for (const link of Object.values(this.#links) as Link[]) {
      link.break(true);
    }
    for (const watcher of this.#watchers) {
      void this.#listen(watcher);
    }
  }

  async #openInner(): Promise<Ports> {
    const opened = await this.#inner.open()();
    if (E.isLeft(opened)) {
      throw new Error(`the store refuses: ${opened.left.message}`);
    }
    return opened.right;
  }

  #overLink<Name extends "log" | "tasks" | "group" | "state">(name: Name, port: Ports[Name], link: Link): Ports[Name] {
    return new Proxy(port, {
      get: (target, asked) => {
        const method: unknown = Reflect.get(target, asked);
        if (typeof method !== "function") {
          return method;
        }
        switch (asked) {
          case "watch":
            return (group: string, onHint: (hint: GroupHint) => void) => this.#watch(group, onHint);
          case "reader":
            return (...at: [TopicInfo, number, Offset]) => this.#reader(...at);
          default:
            return (...args: unknown[]) => {
              // Made once: what is called again is the same call, as the ports have it.
              const calls = new Map<number, Promise<Call>>();
              const inLife = (): Promise<Call> => {
                const life = this.#life;
                const made = calls.get(life) ?? this.#callOf(name, asked, args);
                calls.set(life, made);
                return made;
              };
              return () => link.send(async () => (await inLife())());
            };
        }
      },
    });
  }

  async #callOf(name: "log" | "tasks" | "group" | "state", method: string | symbol, args: unknown[]): Promise<Call> {
    const port = (await this.#ports)[name];
    return (Reflect.get(port, method) as (...args: unknown[]) => Call).apply(port, args);
  }

  #watch(group: string, onHint: (hint: GroupHint) => void): () => void {
    const { scheduler, client, random, weather } = this.#ends;
    const watcher: Watcher = {
      group,
      hear: (hint) => {
        if (!random.chance(weather.lostHints) && this.#links.group.cut === "none") {
          scheduler.at(scheduler.nowMs + random.next() * weather.latencyMs, client, () =>
            client.soon(() => this.#watchers.has(watcher) && onHint(hint)),
          );
        }
      },
      stop: () => {},
    };
    this.#watchers.add(watcher);
    void this.#listen(watcher);
    return () => {
      this.#watchers.delete(watcher);
      watcher.stop();
    };
  }

  async #listen(watcher: Watcher): Promise<void> {
    const { group } = await this.#ports;
    if (this.#watchers.has(watcher)) {
      watcher.stop = group.watch(watcher.group, watcher.hear);
    }
  }

  #reader(topic: TopicInfo, partition: number, after: Offset): Reader {
    let position = after;
    let reader: Reader | null = null;
    let isClosed = false;
    /** Counts failures: a request that arrives after its caller gave up must not move the reader of a later one. */
    let failures = 0;
    const read = async (budget: ReadBudget, before: number): ReturnType<Reader["next"]> => {
      const { log } = await this.#ports;
      if (failures !== before) {
        return E.left(portError("Unavailable", "the simulated reader was given up"));
      }
      reader ??= log.reader(topic, partition, position);
      if (isClosed) {
        reader.close();
      }
      return reader.next(budget);
    };
    return {
      next: async (budget) => {
        const before = failures;
        const batch = await this.#links.log.send(() => read(budget, before), true);
        if (E.isRight(batch)) {
          position = batch.right.records.at(-1)?.offset ?? position;
        } else {
          // What the reader has handed out may be lost, and its store may live another life.
          failures += 1;
          reader?.close();
          reader = null;
        }
        return batch;
      },
      close: () => {
        isClosed = true;
        reader?.close();
      },
    };
  }
}

async function closePorts(opened: Promise<Ports>): Promise<void> {
  const ports = await opened;
  await ports.close();
}
