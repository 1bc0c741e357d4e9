import { BEFORE_FIRST, type Ownership, type TaskRef, type TopicInfo } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { payloads, stateOf } from "./contents.ts";
import { commitOf, record } from "./requests.ts";
import { type Rig, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** What one of several owners, former ones among them, tries. `owner` numbers the acquisitions so far, from the last. */
type Step =
  | { readonly kind: "acquire"; readonly generation: number }
  | { readonly kind: "commit"; readonly owner: number; readonly sequence: number };

/** The current owner, nearly always; now and then one that was fenced long ago. */
const anyOwner = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3));

/** Distance from the sequence that the store expects: 0 is the next commit, -1 the repeat of the last one. */
const anySequence = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: -3, max: 2 }));

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("acquire"), generation: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("commit"), owner: anyOwner, sequence: anySequence }) },
);

/** The ports' docstrings as a program: what the store holds, and what each call must come to. */
class Model {
  generation = 0;
  nonce: string | null = null;
  /** Commits applied; the n-th of them wrote the payload `n`. */
  sequence = 0;

  acquire(generation: number): "acquired" | "Fenced" {
    if (generation < this.generation) {
      return "Fenced";
    }
    this.generation = generation;
    return "acquired";
  }

  commit(nonce: string, number: number): "applied" | "alreadyApplied" | "Fenced" | "Regressed" {
    if (nonce !== this.nonce) {
      return "Fenced";
    }
    if (number === this.sequence) {
      this.sequence += 1;
      return "applied";
    }
    return number + 1 === this.sequence ? "alreadyApplied" : "Regressed";
  }
}

/** Owners that come, go, repeat and come back from the dead, against a model. */
export function describeCommitRetries(spec: PortsConformance): void {
  describe("owners that repeat and overlap", () => {
    const rig = useRig(spec);

    it("get every commit in once, in order, and none in that is not theirs", async () => {
      const property = fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        const [task, topic] = [await rig.task(), await rig.topic()];
        const run = new Run(rig, task, topic);
        for (const each of steps) {
          const { actual, expected } = await run.carryOut(each);
          expect(actual).toBe(expected);
        }
        const commits = Array.from({ length: run.model.sequence }, (_, n) => `${n}`);
        expect(await payloads(rig.ports.log, topic)).toEqual(commits);
        expect([...(await stateOf(rig.ports, task, "s")).values()]).toEqual(commits.slice(-1));
      });
      await fc.assert(property, { numRuns: 40 });
    });
  });
}

/** One run of the steps: what the store answers beside what the model expects. */
class Run {
  readonly model = new Model();
  readonly #owners: Ownership[] = [];
  readonly #rig: Rig;
  readonly #task: TaskRef;
  readonly #topic: TopicInfo;

  constructor(rig: Rig, task: TaskRef, topic: TopicInfo) {
    this.#rig = rig;
    this.#task = task;
    this.#topic = topic;
  }

  async carryOut(each: Step): Promise<{ readonly actual: string; readonly expected: string }> {
    switch (each.kind) {
      case "acquire":
        return this.#acquire(each.generation);
      case "commit":
        return this.#commit(each.owner, Math.max(0, this.model.sequence + each.sequence));
    }
  }

  async #acquire(generation: number): Promise<{ actual: string; expected: string }> {
    const result = await this.#rig.ports.tasks.acquire(this.#task, generation)();
    const expected = this.model.acquire(generation);
    if (result._tag === "Left") {
      return { actual: result.left._tag, expected };
    }
    this.model.nonce = result.right.nonce;
    this.#owners.unshift(result.right);
    const { sequence: found } = result.right;
    return { actual: `acquired at ${found}`, expected: `${expected} at ${this.model.sequence}` };
  }

  async #commit(owner: number, number: number): Promise<{ actual: string; expected: string }> {
    const from = this.#ownerAt(owner);
    const commit = commitOf(this.#task, from, {
      sequence: number,
      outputs: [{ topic: this.#topic, partition: 0, records: [record(`${number}`)] }],
      state: [{ store: "s", puts: [["last", `${number}`]], deletes: [] }],
    });
    const result = await this.#rig.ports.tasks.commit(commit)();
    const expected = this.model.commit(from.nonce, number);
    return { actual: result._tag === "Left" ? result.left._tag : result.right, expected };
  }

  /** Somebody who never was the owner, where there were not that many. */
  #ownerAt(owner: number): Ownership {
    return (
      this.#owners[owner] ?? {
        nonce: "nobody's",
        sequence: 0,
        offset: BEFORE_FIRST,
        processed: 0,
        time: null,
        quietMs: 0,
      }
    );
  }
}
