import { distributionOf, median } from "../distribution.ts";
import { figuresOf, type Lap, type Results, runRace } from "../race.ts";
import { startRedisServer } from "../redis-server.ts";
import type { Report, Row, Trial } from "../trial.ts";
import { keysUpTo } from "./state.ts";
import { makeState, type TakeOverVariant } from "./take-over-variants.ts";

const KEYS = [1_000, 100_000, 1_000_000];
const VARIANTS: readonly TakeOverVariant[] = ["count", "window"];
const ROUNDS = 11;
const GOAL_MS = 100;

const NAMES: Readonly<Record<TakeOverVariant, string>> = {
  count: "aggregate",
  window: "window, all open",
};

/** How soon a worker processes a record of a task with much state. Each time a process of its own takes the task over. */
export const takeOver: Trial = async (setting) => {
  const rounds = setting.rounds ?? ROUNDS;
  await using server = await startRedisServer(setting.binary);
  const { url } = server;
  const sizes = keysUpTo(KEYS, setting.records ?? Number.POSITIVE_INFINITY);
  const moved = VARIANTS.flatMap((variant) => sizes.map((keys) => ({ variant, keys })));
  for (const { variant, keys } of moved) {
    await makeState({ variant, url, keys });
  }
  const laps: readonly Lap<null>[] = moved.map(({ variant, keys }) => ({
    id: `${variant}, ${keys}`,
    args: [variant, url, String(keys)],
    request: null,
  }));
  const results = await runRace({ role: "take-over", laps, rounds, warmUps: 0, isFresh: true });
  return {
    title: [
      `take-over: one partition with so many keys of state, ${rounds} rounds, a new process each; ms since the call that acquires`,
      "first record: its aggregate sees the state that the worker before has left; then its commit",
    ].join("\n"),
    head: ["first record", "max", "committed", "max"],
    rows: moved.map(({ variant, keys }, index) =>
      rowOf(`${NAMES[variant]}, ${keys} keys`, laps[index]?.id ?? "", results),
    ),
    figures: {
      rounds,
      laps: moved.map((lap, index) => ({ ...lap, rounds: results.get(laps[index]?.id ?? "") })),
    },
  } satisfies Report;
};

function rowOf(what: string, id: string, results: Results): Row {
  const firstMs = figuresOf(results, id, "firstMs");
  const committedMs = figuresOf(results, id, "committedMs");
  const cells = [firstMs, committedMs].flatMap((values) => [median(values), distributionOf(values).max]);
  return {
    what,
    cells: cells.map((ms) => ms.toFixed(1)),
    verdict: { goal: `<= ${GOAL_MS} ms`, isMet: median(firstMs) <= GOAL_MS },
  };
}
