import type { TopicInfo } from "@millrace/core";
import * as fc from "fast-check";
import type { Pair } from "./pair.ts";
import type { World } from "./world.ts";

/** A topic as a command names it, and in which of its incarnations. */
export interface TopicChoice {
  readonly name: string;
  readonly which: "today's" | "an earlier one" | "a forged one";
}

/** A topic that a sequence uses. */
export interface Topic extends Pair<TopicInfo> {
  /** For the report, and for what is remembered of its partitions. */
  readonly label: string;
  readonly partitions: number;
}

const FORGED = "00000000-0000-0000-0000-000000000000";

/** The first two exist from the beginning. */
const anyName = fc.oneof(
  { weight: 12, arbitrary: fc.constant("a") },
  { weight: 8, arbitrary: fc.constant("b") },
  { weight: 1, arbitrary: fc.constant("c") },
);

/** Nearly always a topic as it is today. */
export const anyTopic: fc.Arbitrary<TopicChoice> = fc.record({
  name: anyName,
  which: fc.oneof(
    { weight: 40, arbitrary: fc.constant("today's" as const) },
    { weight: 1, arbitrary: fc.constant("an earlier one" as const) },
    { weight: 1, arbitrary: fc.constant("a forged one" as const) },
  ),
});

/** The topics of a sequence, with all of their incarnations. */
export class Topics {
  readonly #world: World;
  readonly #known = new Map<string, Pair<TopicInfo>[]>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Those that exist, or did. */
  get all(): readonly Topic[] {
    return [...this.#known.keys()].map((name) => this.of({ name, which: "today's" }));
  }

  /** A topic as both stores have told of it. */
  learn(name: string, found: Pair<TopicInfo>): void {
    const known = this.#known.get(name) ?? [];
    this.#known.set(name, known);
    if (known.at(-1)?.memory.incarnation !== found.memory.incarnation) {
      known.push(found);
    }
  }

  /** What a command means. Where there was none such, one that there never was. */
  of({ name, which }: TopicChoice): Topic {
    const known = this.#known.get(name) ?? [];
    const found = which === "an earlier one" ? known.at(-2) : known.at(-1);
    if (found === undefined || which === "a forged one") {
      const partitions = known.at(-1)?.memory.partitions ?? 1;
      const info = { name: `${this.#world.options.prefix}${name}`, partitions, incarnation: FORGED };
      return { memory: info, redis: info, label: `${name}, forged`, partitions };
    }
    const [memory] = this.#world.sides;
    const incarnation = memory?.alias("incarnation", found.memory.incarnation);
    return { ...found, label: `${name}, ${incarnation}`, partitions: found.memory.partitions };
  }
}
