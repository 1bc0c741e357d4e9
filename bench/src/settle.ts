import { Cluster } from "./cluster/cluster.ts";
import { distributionOf, median } from "./distribution.ts";
import type { RedisBinary } from "./redis-server.ts";
import type { Report, Row, Trial } from "./trial.ts";

const PARTITIONS = 256;
const WORKERS = 16;
const ROUNDS = 3;
/** The default of members. */
const SESSION_MS = 10_000;
const GOAL_MS = 3_000;

interface Settled {
  /** From the barrier to the moment at which the last task ran where it was to stay. */
  readonly settledMs: number;
  /** From the barrier until the first member knew a target. */
  readonly firstTargetMs: number;
  /** Targets that some member has heard of. */
  readonly targets: number;
  /** Tasks that were taken again after they had run somewhere. */
  readonly moves: number;
}

/** How long workers that join all at once take to share the tasks. */
export const settle: Trial = async (setting) => {
  const partitions = setting.partitions ?? PARTITIONS;
  const workers = setting.workers ?? WORKERS;
  const results: Settled[] = [];
  for (let round = 0; round < (setting.rounds ?? ROUNDS); round += 1) {
    results.push(await settleOnce({ binary: setting.binary, partitions, workers }));
  }
  const slowest = Math.max(...results.map(({ settledMs }) => settledMs));
  return {
    title: `settle: ${partitions} partitions, ${workers} workers join at once, ${results.length} rounds`,
    head: ["median", "max"],
    rows: [
      {
        ...rowOf("until every task runs, balanced (ms)", results, "settledMs"),
        verdict: { goal: `< ${GOAL_MS} ms`, isMet: slowest < GOAL_MS },
      },
      rowOf("  until a member knows the first target (ms)", results, "firstTargetMs"),
      rowOf("targets", results, "targets"),
      rowOf("moves besides the first assignment", results, "moves"),
    ],
    figures: { partitions, workers, sessionMs: SESSION_MS, results },
  } satisfies Report;
};

function rowOf(what: string, results: readonly Settled[], key: keyof Settled): Row {
  const values = results.map((result) => result[key]);
  return { what, cells: [median(values), distributionOf(values).max].map(String) };
}

async function settleOnce({
  binary,
  partitions,
  workers,
}: {
  readonly binary: RedisBinary;
  readonly partitions: number;
  readonly workers: number;
}): Promise<Settled> {
  await using cluster = await Cluster.open({ binary, partitions, sessionMs: SESSION_MS });
  const members = await cluster.startMembers(workers);
  const barrierMs = Date.now();
  await Promise.all(members.map((member) => member.join()));
  await cluster.settled(members);
  // The store must agree, and nothing may move any more.
  await cluster.describe(members);
  const { log } = cluster.ownership;
  const assigned = log.filter(({ _tag }) => _tag === "Assigned");
  const started = log.flatMap((event) => (event._tag === "Started" ? [event] : []));
  return {
    settledMs: Math.max(...assigned.map(({ atMs }) => atMs)) - barrierMs,
    firstTargetMs: Math.min(...started.map(({ atMs }) => atMs)) - barrierMs,
    targets: new Set(started.map(({ generation }) => generation)).size,
    moves: assigned.length - partitions,
  };
}
