import type { Limits } from "@millrace/core";
import { median } from "../distribution.ts";
import { figuresOf, type Lap, type Results, runRace } from "../race.ts";
import { startRedisServer } from "../redis-server.ts";
import type { Report, Row, Trial, TrialSetting } from "../trial.ts";
import { fillVisits, type StateRequest, type StateVariant } from "./state-variants.ts";
import { PARTITIONS } from "./visits.ts";

const RECORDS = 1_000_000;
const KEYS = [100, 10_000, 1_000_000];
/** With how many keys the ceiling is measured, and what it costs when memory keeps no state. */
const MIDDLE = 10_000;
/** Nothing but what is not committed yet, and of that so little that most records need a key that was let go. */
const KEEPS_NOTHING: Limits = { maxStateBytes: 1, maxRecords: 1_024 };
const ROUNDS = 3;
const MEGABYTE = 1_048_576;

const NAMES: Readonly<Record<StateVariant, string>> = {
  stateless: "map → sink, no state: the ceiling",
  count: "aggregate",
  window: "window, tumbling, 1 minute",
  pipelines: "ioredis, pipelines of HINCRBY, XADD (not atomic)",
  script: "ioredis, one script for each batch",
};

interface StateLap extends Lap<StateRequest> {
  readonly variant: StateVariant;
}

/** The laps with so many keys, all on one server. */
interface Heat {
  readonly keys: number;
  readonly laps: readonly StateLap[];
  readonly results: Results;
}

/** A keyed count and a tumbling window over a backlog in Redis, and what they ask of Redis. Each run has a process of its own. */
export const state: Trial = async (setting) => {
  const records = setting.records ?? RECORDS;
  const rounds = setting.rounds ?? ROUNDS;
  const heats: Heat[] = [];
  for (const keys of keysUpTo(KEYS, records)) {
    heats.push(await runHeat(setting, { records, rounds, keys }));
  }
  return {
    title: [
      `state: ${records} records, ${PARTITIONS} partitions, one worker, ${rounds} rounds, medians`,
      "round trips per 1000 records: a command, a script or a pipeline is one; counted where the driver sends them",
      "CPU µs per record: of Node + of Redis; RSS: the most that the process took",
    ].join("\n"),
    head: ["records/s", "trips/1000", "CPU µs", "RSS MB"],
    rows: heats.flatMap((heat) => [
      { what: `${heat.keys} distinct keys`, cells: [] },
      ...heat.laps.flatMap((lap) => rowsOf(lap, heat.results)),
    ]),
    figures: {
      records,
      rounds,
      partitions: PARTITIONS,
      laps: heats.flatMap(({ laps, results }) =>
        laps.map(({ id, variant, request }) => ({
          variant,
          keys: request.keys,
          limits: request.limits,
          rounds: results.get(id),
        })),
      ),
    },
  } satisfies Report;
};

/** The sizes, none larger than `most`, each once. */
export function keysUpTo(sizes: readonly number[], most: number): readonly number[] {
  return [...new Set(sizes.map((size) => Math.min(size, most)))];
}

async function runHeat(
  { binary }: TrialSetting,
  { records, rounds, keys }: { readonly records: number; readonly rounds: number; readonly keys: number },
): Promise<Heat> {
  await using server = await startRedisServer(binary);
  await fillVisits(server.url, records, keys);
  const lapOf = (variant: StateVariant, limits: Limits = {}): StateLap => ({
    id: `${variant}${limitsText(limits)}`,
    variant,
    args: [variant, server.url],
    request: { records, keys, limits },
  });
  const isMiddle = keys === Math.min(MIDDLE, records);
  const laps = [
    ...(isMiddle ? [lapOf("stateless")] : []),
    lapOf("count"),
    ...(isMiddle ? [lapOf("count", KEEPS_NOTHING)] : []),
    lapOf("window"),
    lapOf("pipelines"),
    lapOf("script"),
  ];
  return { keys, laps, results: await runRace({ role: "state", laps, rounds, warmUps: 0, isFresh: true }) };
}

function rowsOf({ id, variant, request }: StateLap, results: Results): Row[] {
  const { records, limits } = request;
  const of = (figure: string): number => median(figuresOf(results, id, figure));
  const perThousand = (count: number): string => ((count / records) * 1_000).toFixed(1);
  const rates = figuresOf(results, id, "elapsedMs").map((ms) => (records / ms) * 1_000);
  const parts = {
    reads: of("readTrips"),
    commits: of("commitTrips"),
    state: of("stateTrips"),
    others: of("otherTrips"),
  };
  const all = Object.values(parts).reduce((sum, count) => sum + count, 0);
  const split = Object.entries(parts).map(([name, count]) => `${name} ${perThousand(count)}`);
  const isMillrace = variant !== "pipelines" && variant !== "script";
  return [
    {
      what: `  ${NAMES[variant]}${limitsText(limits)}`,
      cells: [
        whole(median(rates)),
        perThousand(all),
        `${(of("nodeCpuUs") / records).toFixed(1)} + ${(of("redisCpuUs") / records).toFixed(1)}`,
        (of("rssBytes") / MEGABYTE).toFixed(0),
      ],
    },
    {
      what: `    ${whole(Math.min(...rates))}–${whole(Math.max(...rates))} records/s${isMillrace ? `; ${split.join(", ")}` : ""}`,
      cells: [],
    },
  ];
}

function limitsText(limits: Limits): string {
  return Object.entries(limits)
    .map(([name, limit]) => `, ${name} ${limit}`)
    .join("");
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
