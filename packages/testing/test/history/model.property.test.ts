/** Histories of a small correct model have no violation; a line that is changed shows. */
import { checkHistory, copies, type Expectations, type HistoryLine } from "@millrace/testing/history";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isEquivalent, MUTATIONS, mutated } from "./support/mutations.ts";
import { GROUP, type Owner, type Reply, STORE, Story } from "./support/story.ts";

const RUNS = 300;
const PARTITIONS = 2;
/** Of each partition. */
const KEYS = ["abc", "xyz"];
const WORKERS = ["w1", "w2", "w3"];

type Step =
  | { readonly kind: "append"; readonly partition: number; readonly count: number; readonly reply: Reply }
  | { readonly kind: "acquire"; readonly partition: number; readonly worker: number }
  | { readonly kind: "save" | "lose" }
  | { readonly kind: "commit"; readonly owner: number; readonly count: number; readonly reply: Reply };

const partition = fc.nat({ max: PARTITIONS - 1 });
const count = fc.integer({ min: 1, max: 4 });
const reply = fc.constantFrom<Reply>("ok", "ok", "lost", "never arrived");
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), partition, count, reply }),
  fc.record({ kind: fc.constant("acquire" as const), partition, worker: fc.nat({ max: WORKERS.length - 1 }) }),
  // The last owners are the likeliest to commit; the others are zombies.
  fc.record({ kind: fc.constant("commit" as const), owner: fc.nat({ max: 4 }), count, reply }),
);

/** The store loses what was written since it was saved, as one that restarts. */
const lossyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: anyStep },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("save" as const, "lose" as const) }) },
);

/** What these steps lead to; every record says something else. */
function historyOf(steps: readonly Step[]): readonly HistoryLine[] {
  const story = new Story(PARTITIONS);
  const owners: Owner[] = [];
  let records = 0;
  let lose = story.save();
  for (const step of steps) {
    switch (step.kind) {
      case "append": {
        const keys = KEYS[step.partition] ?? "";
        const values = Array.from({ length: step.count }, (_, at) => `${keys[(records + at) % 3]}${records + at}`);
        records += step.count;
        story.append(step.partition, values, step.reply);
        break;
      }
      case "acquire":
        owners.push(story.acquire(WORKERS[step.worker] ?? "w1", step.partition));
        break;
      case "save":
        lose = story.save();
        break;
      case "lose":
        lose();
        break;
      case "commit": {
        const owner = owners.at(-1 - step.owner);
        if (owner !== undefined) {
          story.commit(owner, step.count, step.reply);
        }
      }
    }
  }
  return story.end();
}

const expectations: Expectations = {
  flows: [copies({ group: GROUP, from: "in", to: "out" })],
  states: [
    {
      group: GROUP,
      topic: "in",
      store: STORE,
      expect: (records) => {
        const counts = new Map<string, number>();
        for (const { key } of records) {
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
        return new Map([...counts].map(([key, number]) => [key, `${number}`]));
      },
    },
  ],
  bounds: { stallMs: 100_000 },
};

const history = fc.array(anyStep, { minLength: 5, maxLength: 40 }).map(historyOf);

describe("a history of the model", () => {
  it("has no violation", () => {
    fc.assert(
      fc.property(history, (lines) => {
        expect(checkHistory(lines, expectations).violations).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it("has no violation where a store loses writes, and says so", () => {
    fc.assert(
      fc.property(fc.array(lossyStep, { minLength: 5, maxLength: 60 }).map(historyOf), (lines) => {
        expect(checkHistory(lines, expectations).violations).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it.each(MUTATIONS)("shows that a line was changed, or says nothing that is wrong: %s", (mutation) => {
    fc.assert(
      fc.property(history, fc.nat(), (lines, number) => {
        const places = lines.flatMap((_, at) =>
          mutated(lines, at, mutation) === null || isEquivalent(lines, at, mutation) ? [] : [at],
        );
        fc.pre(places.length > 0);
        const changed = mutated(lines, places[number % places.length] ?? 0, mutation) ?? [];
        expect(checkHistory(changed, expectations).violations).not.toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
