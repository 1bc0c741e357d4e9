import { distributionOf, median } from "../distribution.ts";
import { figuresOf, type Lap, type Results, runRace } from "../race.ts";
import type { Report, Row, Trial } from "../trial.ts";
import type { HandlersRequest, HandlersVariant } from "./handlers-variants.ts";

const ROUNDS = 5;
const WARM_UPS = 1;
const SLEEP_MS = 1;
const CONCURRENCIES = [1, 16, 64];
/** Values of one run with handlers that sleep, for each handler at once. */
const SLEEPS = 1_000;
/** The most values of a run. */
const MOST_VALUES = 100_000;

const NAMES: Readonly<Record<HandlersVariant, string>> = {
  millrace: "Millrace mapOrdered, in a task without a store",
  rxjs: "RxJS concatMap, or mergeMap (unordered)",
  node: "Node Readable.map",
  loop: "await in a loop",
};

/** How many handlers a second: of such as sleep, and of such as resolve at once, which shows what a call costs. */
export const handlers: Trial = async (setting) => {
  const rounds = setting.rounds ?? ROUNDS;
  const most = setting.records ?? MOST_VALUES;
  const laps = [SLEEP_MS, 0].flatMap((sleepMs) => lapsOf(sleepMs, most));
  const results = await runRace({ role: "handlers", laps, rounds, warmUps: WARM_UPS, isFresh: false });
  const slept = sleepOf(laps, results);
  return {
    title: `handlers: ${rounds} rounds; a sleep of ${SLEEP_MS} ms takes ${slept.toFixed(2)} ms; so many at once`,
    head: ["median", "min–max", "% of ideal"],
    rows: [
      { what: `handlers of ${SLEEP_MS} ms: values/s`, cells: [] },
      ...laps.flatMap((lap) => (lap.request.sleepMs > 0 ? [sleepingRow(lap, results, slept)] : [])),
      { what: "handlers that resolve at once: CPU ns per value", cells: [] },
      ...laps.flatMap((lap) => (lap.request.sleepMs > 0 ? [] : [instantRow(lap, results)])),
    ],
    figures: {
      rounds,
      sleptMs: slept,
      laps: laps.map(({ id, args: [variant], request }) => ({
        variant,
        ...request,
        elapsedMs: figuresOf(results, id, "elapsedMs"),
        cpuMs: figuresOf(results, id, "cpuMs"),
      })),
    },
  } satisfies Report;
};

function lapsOf(sleepMs: number, most: number): readonly Lap<HandlersRequest>[] {
  return CONCURRENCIES.flatMap((concurrency) => {
    const count = sleepMs === 0 ? most : Math.min(most, SLEEPS * concurrency);
    const variants: readonly HandlersVariant[] = [
      "millrace",
      "rxjs",
      "node",
      ...(concurrency === 1 ? ["loop" as const] : []),
    ];
    return variants.map((variant) => ({
      id: `${variant}, ${concurrency} at once, ${sleepMs} ms`,
      args: [variant],
      request: { count, concurrency, sleepMs },
    }));
  });
}

/** How long a sleep takes on this machine, in ms: nobody is faster than the loop that does nothing else. */
function sleepOf(laps: readonly Lap<HandlersRequest>[], results: Results): number {
  const loop = laps.find(({ args, request }) => args[0] === "loop" && request.sleepMs > 0);
  return loop === undefined ? Number.NaN : median(figuresOf(results, loop.id, "elapsedMs")) / loop.request.count;
}

/** Values a second. Ideal: every handler sleeps all the time. */
function sleepingRow({ id, args, request }: Lap<HandlersRequest>, results: Results, sleptMs: number): Row {
  const { count, concurrency } = request;
  const rates = figuresOf(results, id, "elapsedMs").map((ms) => (count / ms) * 1_000);
  const ideal = (concurrency / sleptMs) * 1_000;
  return {
    what: nameOf(args, concurrency),
    cells: [...cellsOf(rates), ((median(rates) / ideal) * 100).toFixed(0)],
  };
}

/** CPU time (ns) per value. */
function instantRow({ id, args, request }: Lap<HandlersRequest>, results: Results): Row {
  const { count, concurrency } = request;
  const times = figuresOf(results, id, "cpuMs").map((ms) => (ms * 1e6) / count);
  return { what: nameOf(args, concurrency), cells: cellsOf(times) };
}

function nameOf([variant = ""]: readonly string[], concurrency: number): string {
  return `${String(concurrency).padStart(4)}: ${NAMES[variant as HandlersVariant]}`;
}

function cellsOf(values: readonly number[]): string[] {
  const { max } = distributionOf(values);
  const whole = (value: number): string => Math.round(value).toString();
  return [whole(median(values)), `${whole(Math.min(...values))}–${whole(max)}`];
}
