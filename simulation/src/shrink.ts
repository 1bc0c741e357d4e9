import { run } from "./run.ts";
import type { Scenario } from "./scenario.ts";

/** Runs that shrinking may take. */
const MOST_RUNS = 400;

/**
 * A smaller scenario that breaks the same promise: faults are left out, numbers made smaller, one after the other, as long as the
 * violation stays. Each scenario decides its own interleaving, so what is found need not be the smallest one.
 */
export async function shrink(scenario: Scenario, promise: string): Promise<Scenario> {
  let smallest = scenario;
  let runs = 0;
  let isSmaller = true;
  while (isSmaller) {
    isSmaller = false;
    for (const candidate of smallerThan(smallest)) {
      if (runs === MOST_RUNS) {
        return smallest;
      }
      runs += 1;
      if ((await run(candidate)).violations.some((violation) => promiseOf(violation) === promise)) {
        smallest = candidate;
        isSmaller = true;
        break;
      }
    }
  }
  return smallest;
}

/** What a violation begins with: `G6`, or what was compared. */
export function promiseOf(violation: string): string {
  return violation.slice(0, violation.indexOf(":"));
}

function smallerThan(scenario: Scenario): readonly Scenario[] {
  const { faults, records, weather } = scenario;
  const but = (change: Partial<Scenario>): Scenario => ({ ...scenario, ...change });
  return [
    ...faults.map((fault) => but({ faults: faults.filter((other) => other !== fault) })),
    ...[Math.floor(records / 2), records - 1]
      .filter((fewer) => fewer > 0 && fewer < records)
      .map((fewer) => but({ records: fewer })),
    ...(["workers", "partitions", "partitionsBehind", "keys"] as const)
      .filter((part) => scenario[part] > 1)
      .map((part) => but({ [part]: scenario[part] - 1 })),
    ...(["skewMs", "handlerMs", "pauseMs"] as const)
      .filter((part) => scenario[part] > 0)
      .map((part) => but({ [part]: 0 })),
    ...(["breaks", "doubles", "lostHints", "latencyMs"] as const)
      .filter((part) => weather[part] > 0)
      .map((part) => but({ weather: { ...weather, [part]: 0 } })),
    ...(scenario.maxStateBytes === null ? [] : [but({ maxStateBytes: null })]),
  ];
}
