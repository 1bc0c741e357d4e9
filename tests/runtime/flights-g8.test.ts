/**
 * Real flights, in every way in which they can come and be processed. By default most runs take a part of them;
 * `MILLRACE_FLIGHTS=all` takes all 300,000 everywhere, and some ten minutes.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { batchOf, type Results } from "./support/flights-batch.ts";
import { realFlights } from "./support/flights-data.ts";
import type { Flight } from "./support/flights-plan.ts";
import { differences, workOf } from "./support/flights-results.ts";
import { runFlights, type Scene } from "./support/flights-run.ts";

const ALL = 300_000;
const isAll = process.env["MILLRACE_FLIGHTS"] === "all";
/** From midnight to noon: two of the longest windows. */
const PART = 6_000;
const CRASHES = 6;
/** Of one run. Minutes where the machine is busy with something else. */
const TIMEOUT_MS = 1_800_000;
/** For how long the workers wait for what is missing of a backlog: as long as its flights took, or less. */
const LULL_MS = isAll ? 30 * 60_000 : 60_000;

interface Input {
  readonly flights: readonly Flight[];
  readonly expected: Results;
}

let all: Input;
let part: Input;

beforeAll(async () => {
  const flights = await realFlights(ALL);
  all = { flights, expected: batchOf(flights) };
  const some = flights.slice(0, PART);
  part = { flights: some, expected: batchOf(some) };
}, TIMEOUT_MS);

const SCENES: readonly Scene[] = [1, 3, 8].flatMap((workers) =>
  (["live", "backlog"] as const).flatMap((arrival) =>
    [0, CRASHES].flatMap((crashes) =>
      [false, true].map((isBehind) => ({ workers, arrival, crashes, isBehind, lullMs: LULL_MS })),
    ),
  ),
);

function textOf({ scene, isWhole }: { readonly scene: Scene; readonly isWhole: boolean }): string {
  const { workers, arrival, crashes, isBehind } = scene;
  const behind = isBehind ? ", one partition 30 minutes behind" : "";
  const crew = `${workers} worker${workers === 1 ? "" : "s"}`;
  return `${isWhole ? ALL : PART} flights, ${arrival}, ${crew}, ${crashes} crashes${behind}`;
}

/** In every run: what many workers make of what comes in bits, with crashes, and from one partition late. */
function takesAll({ workers, arrival, crashes, isBehind }: Scene): boolean {
  return isAll || (workers === 3 && arrival === "live" && crashes > 0 && isBehind);
}

describe("G8: two chained pipelines make the same of real flights, and none is late", { timeout: TIMEOUT_MS }, () => {
  const cases = SCENES.map((scene) => ({ scene, isWhole: takesAll(scene) }));
  it.each(cases.map((given) => [textOf(given), given] as const))("%s", async (_name, { scene, isWhole }) => {
    const { flights, expected } = isWhole ? all : part;
    const { results, troubles, crashes } = await runFlights(flights, scene, workOf(flights.length, expected));
    expect(troubles).toEqual([]);
    expect(differences(results, expected)).toEqual([]);
    expect(crashes).toBe(scene.crashes);
  });
});
