import type { Adapter, Log, Ports, TopicInfo } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";

/** The topics that there are, as far as anybody has asked for them through the driver. */
export class Topics {
  private readonly infos = new Map<string, TopicInfo>();
  private readonly defaultPartitions: number;

  /** `defaultPartitions`: of topics that declare none. */
  constructor(defaultPartitions: number) {
    this.defaultPartitions = defaultPartitions;
  }

  /** In the order of their names. */
  get names(): readonly string[] {
    return [...this.infos.keys()].toSorted();
  }

  /** The topic, `undefined` where nobody has asked for it. */
  find(name: string): TopicInfo | undefined {
    return this.infos.get(name);
  }

  /** The log, told how many partitions topics have by default; topics that are asked for are entered here. */
  watched(log: Log): Log {
    const ensureTopic: Log["ensureTopic"] = (spec) => async () => {
      const found = await log.ensureTopic({ ...spec, defaultPartitions: this.defaultPartitions })();
      if (E.isLeft(found)) {
        return found;
      }
      this.infos.set(found.right.name, found.right);
      // An object of its own for everybody who asks: see Sightings.
      return E.right({ ...found.right });
    };
    return new Proxy(log, {
      get: (target, name) => {
        const method: unknown = name === "ensureTopic" ? ensureTopic : Reflect.get(target, name);
        return typeof method === "function" ? method.bind(target) : method;
      },
    });
  }

  /** The adapter with {@link watched} logs. */
  watchedAdapter<A extends Adapter>(adapter: A): A {
    return {
      ...adapter,
      open: () => async () =>
        E.map((ports: Ports) => ({
          log: this.watched(ports.log),
          tasks: ports.tasks,
          group: ports.group,
          state: ports.state,
          close: () => ports.close(),
        }))(await adapter.open()()),
    };
  }
}
