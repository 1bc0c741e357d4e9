import * as fc from "fast-check";
import { it } from "vitest";
import { INVARIANTS } from "./support/window-invariants.ts";
import { crowdedScenarios, type WindowScenario, windowScenarios } from "./support/window-scenario.ts";
import { outcomeOf } from "./support/window-world.ts";

const RUNS = Number(process.env["MILLRACE_RUNS"] ?? 50);
const SEED = process.env["MILLRACE_SEED"];
const parameters = { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) };

/** Plays a scenario, and throws what is not as it must be. */
async function hold(scenario: WindowScenario): Promise<void> {
  const outcome = await outcomeOf(scenario);
  for (const holds of INVARIANTS) {
    holds(outcome);
  }
}

it("G3, G4, G8: windows hold what a plain computation finds in them, each is final once, whatever befalls the workers", async () => {
  await fc.assert(fc.asyncProperty(windowScenarios, hold), parameters);
}, 600_000);

it("G5: so it is with more windows than one page of a store, or one commit, can hold", async () => {
  await fc.assert(fc.asyncProperty(crowdedScenarios, hold), { ...parameters, numRuns: Math.ceil(RUNS / 25) });
}, 600_000);
