import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { random } from "./support/faulty-adapter.ts";
import {
  lettersAreDeserved,
  lettersAreWrittenOnce,
  nothingIsBothLetterAndOutput,
  nothingIsDoubled,
  nothingIsLost,
  nothingStaysThatCouldGo,
  outputsAreThoseOfTheModel,
  parkedKeysFlowAgain,
} from "./support/random-pipelines/invariants.ts";
import {
  committedWorkIsNotRepeated,
  idempotencyKeysHold,
  lanesDoNotOverlap,
  memoryIsBounded,
  outputsStayInOrder,
  parkedKeysWait,
  requestsAddUp,
  writesStayInOrder,
} from "./support/random-pipelines/order-invariants.ts";
import { type Outcome, outcomeOf } from "./support/random-pipelines/outcome.ts";
import { play } from "./support/random-pipelines/play.ts";
import { BUGS, type Sabotage } from "./support/random-pipelines/sabotage.ts";
import { crowded, type Scenario, scenarios } from "./support/random-pipelines/scenario.ts";

const RUNS = Number(process.env["MILLRACE_RUNS"] ?? 500);
const SEED = process.env["MILLRACE_SEED"];

const INVARIANTS: readonly ((outcome: Outcome) => void)[] = [
  lettersAreWrittenOnce,
  lettersAreDeserved,
  outputsAreThoseOfTheModel,
  nothingIsDoubled,
  nothingIsLost,
  nothingIsBothLetterAndOutput,
  nothingStaysThatCouldGo,
  parkedKeysFlowAgain,
  outputsStayInOrder,
  parkedKeysWait,
  writesStayInOrder,
  requestsAddUp,
  lanesDoNotOverlap,
  idempotencyKeysHold,
  committedWorkIsNotRepeated,
  memoryIsBounded,
];

/** Plays a scenario to its end. Rejects when it has none. */
async function outcome(scenario: Scenario, sabotage?: Sabotage): Promise<Outcome> {
  // Pauses are drawn at random: drawn from the seed, a run repeats exactly.
  const { random: before } = Math;
  Math.random = random(scenario.seed + 1);
  try {
    return await outcomeOf(await play(scenario, sabotage));
  } finally {
    Math.random = before;
  }
}

/** Plays a scenario, and throws what is not as it must be. */
async function hold(scenario: Scenario): Promise<void> {
  const found = await outcome(scenario);
  for (const holds of INVARIANTS) {
    holds(found);
  }
}

const parameters = { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) };

it("G1, G3, G4, G6: whatever fails, crashes, is parked, redriven or discarded, every value is where it must be, once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(scenarios, (scenario) => hold(scenario)),
    parameters,
  );
}, 600_000);

it("G5: so it is with more records than a task may hold", async () => {
  await fc.assert(
    fc.asyncProperty(crowded, (scenario) => hold(scenario)),
    {
      ...parameters,
      numRuns: Math.ceil(RUNS / 200),
    },
  );
}, 600_000);

/** Scenarios in which a bug must have shown itself. */
const FIND_WITHIN = 2_000;

describe("what must be true is found to be broken in a pipeline that", () => {
  it.each(BUGS)(
    "$name",
    async ({ foundBy, ...sabotage }) => {
      const all = fc.oneof({ arbitrary: scenarios, weight: 30 }, { arbitrary: crowded, weight: 1 });
      const holds = fc.asyncProperty(all, async (scenario) => {
        // Where a pipeline comes to no end, others tell.
        const found = await outcome(scenario, sabotage).catch(() => null);
        if (found !== null) {
          foundBy(found);
        }
      });
      const { failed, errorInstance } = await fc.check(holds, { numRuns: FIND_WITHIN, endOnFailure: true });
      expect(failed).toBe(true);
      expect(String(errorInstance)).toContain(foundBy.name);
    },
    120_000,
  );
});
