import type { LoggedEvent } from "../cluster/ownership.ts";
import { type Distribution, distributionOf } from "../distribution.ts";
import { minimalMoves } from "../minimal-moves.ts";
import type { Report, Row, Verdict } from "../trial.ts";
import type { Change, ChangeKind, Span } from "./changes.ts";
import { type Flow, flowIn, type Move, movesIn, partsOf } from "./pauses.ts";
import type { Trace } from "./traces.ts";

/** What was seen of a group under load. */
export interface Observed {
  readonly setting: {
    readonly partitions: number;
    readonly workers: number;
    readonly rate: number;
    readonly rounds: number;
    readonly sessionMs: number;
  };
  readonly traces: readonly Trace[];
  readonly changes: readonly Change[];
  readonly log: readonly LoggedEvent[];
  /** See `NoiseProbe`. */
  readonly latenesses: readonly number[];
}

const PAUSE_GOAL_MS = 50;
/** A task that stays should notice nothing; this much is the clock's and the machine's. */
const KEPT_TOLERANCE_MS = 5;
const TAKE_OVER_GOAL_MS = 200;

/** Tells what was seen. */
export function reportOf(observed: Observed): Report {
  const { setting, changes, log } = observed;
  const { partitions, workers, rate, rounds, sessionMs } = setting;
  const troubles = log.flatMap((event) => (event._tag === "Trouble" ? [`${event.member}: ${event.what}`] : []));
  const findings = [
    ...gracefulFindings(observed, "join"),
    ...gracefulFindings(observed, "leave"),
    ...keptFindings(observed),
    ...killFindings(observed),
    part("lateness of an idle process's timers (ms)", "noise", observed.latenesses),
  ];
  const moves = (["join", "leave", "kill"] as const).map((kind) => moveFinding(observed, kind));
  return {
    title: `group: ${partitions} partitions, ${workers} workers, ${rate} records/s, session ${sessionMs} ms, ${changes.length} changes in ${rounds} rounds`,
    head: ["count", "p50", "p99", "max"],
    rows: [
      ...findings.map(rowOf),
      ...moves.map(({ row }) => row),
      { what: "troubles told by workers", cells: [String(troubles.length)] },
    ],
    figures: {
      ...setting,
      distributions: Object.fromEntries(findings.map(({ key, distribution }) => [key, distribution])),
      moves: Object.fromEntries(moves.map(({ kind, moved, least }) => [kind, { moved, least }])),
      changes: changes.map((change) => ({
        kind: change.kind,
        member: change.member,
        moves: movesIn(observed.traces, change, log),
      })),
      troubles,
    },
  };
}

/** A distribution in ms, by a name for people and one for programs. */
interface Finding {
  readonly what: string;
  readonly key: string;
  readonly distribution: Distribution;
  readonly verdict?: Verdict;
}

function rowOf({ what, distribution: { count, p50, p99, max }, verdict }: Finding): Row {
  const cells = [count, p50, p99, max].map((value) => (Number.isNaN(value) ? "–" : String(value)));
  return { what, cells, ...(verdict === undefined ? {} : { verdict }) };
}

function gracefulFindings(observed: Observed, kind: "join" | "leave"): readonly Finding[] {
  const moves = movesOf(observed, kind);
  const parts = moves.map(partsOf);
  const pause = distributionOf(moves.map(({ pauseMs }) => pauseMs));
  return [
    {
      what: `pause of a task that moves, ${kind} (ms)`,
      key: `${kind}.pause`,
      distribution: pause,
      verdict: { goal: `p99 < ${PAUSE_GOAL_MS}`, isMet: pause.p99 < PAUSE_GOAL_MS },
    },
    part("  as the runtime reports it", `${kind}.reported`, known(moves.map(({ reportedMs }) => reportedMs))),
    part("  old owner: told → given back", `${kind}.finishing`, known(parts.map(({ finishingMs }) => finishingMs))),
    part("  given back → acquired", `${kind}.handingOver`, known(parts.map(({ handingOverMs }) => handingOverMs))),
    part("  new owner: acquired → first output", `${kind}.starting`, known(parts.map(({ startingMs }) => startingMs))),
    part(
      `  ${kind} → first output of the new owner`,
      `${kind}.first`,
      moves.map(({ firstMs }) => firstMs),
    ),
  ];
}

function keptFindings({ traces, changes }: Observed): readonly Finding[] {
  const graceful = changes.filter(({ kind }) => kind !== "kill");
  const quiet = flowOver(
    traces,
    changes.map((change) => change.quiet),
  );
  const during = flowOver(traces, graceful);
  const gap = { quiet: distributionOf(quiet.gaps), during: distributionOf(during.gaps) };
  const delay = { quiet: distributionOf(quiet.delays), during: distributionOf(during.delays) };
  return [
    { what: "gaps of all tasks in quiet time (ms)", key: "quiet.gap", distribution: gap.quiet },
    {
      what: "gaps of tasks that stay, join and leave",
      key: "kept.gap",
      distribution: gap.during,
      verdict: asQuiet(gap),
    },
    part("likewise without the regular gap, in quiet time", "quiet.pause", quiet.pauses),
    { what: "delay input → output in quiet time (ms)", key: "quiet.delay", distribution: delay.quiet },
    {
      what: "delay of tasks that stay, join and leave",
      key: "kept.delay",
      distribution: delay.during,
      verdict: asQuiet(delay),
    },
  ];
}

function asQuiet({ quiet, during }: { readonly quiet: Distribution; readonly during: Distribution }): Verdict {
  return { goal: `p99 ≤ quiet + ${KEPT_TOLERANCE_MS}`, isMet: during.p99 <= quiet.p99 + KEPT_TOLERANCE_MS };
}

function flowOver(traces: readonly Trace[], spans: readonly Span[]): Flow {
  const flows = spans.map((span) => flowIn(traces, span));
  return {
    gaps: flows.flatMap(({ gaps }) => gaps),
    pauses: flows.flatMap(({ pauses }) => pauses),
    delays: flows.flatMap(({ delays }) => delays),
  };
}

/** The first sign: a survivor has a new target. Then the tasks, of which only those of the killed worker are counted. */
function killFindings(observed: Observed): readonly Finding[] {
  const { changes, log, setting } = observed;
  const kills = changes.filter(({ kind }) => kind === "kill");
  const noticed = kills.flatMap(({ fromMs, toMs }) => {
    const first = log.find(({ _tag, atMs }) => _tag === "Started" && atMs >= fromMs && atMs <= toMs);
    return first === undefined ? [] : [first.atMs - fromMs];
  });
  const orphans = kills.flatMap((change) =>
    movesIn(observed.traces, change, log).filter(({ from }) => from === change.member),
  );
  const takeOver = distributionOf(orphans.map(({ firstMs }) => firstMs));
  const goalMs = setting.sessionMs + TAKE_OVER_GOAL_MS;
  return [
    {
      what: "kill -9 → first output of the new owner (ms)",
      key: "kill.takeOver",
      distribution: takeOver,
      verdict: { goal: `p99 ≤ ${goalMs}`, isMet: takeOver.p99 <= goalMs },
    },
    part("  kill → a survivor has a new target", "kill.noticed", noticed),
    part(
      "  new owner: acquired → first output",
      "kill.starting",
      known(orphans.map((move) => partsOf(move).startingMs)),
    ),
  ];
}

function part(what: string, key: string, values: readonly number[]): Finding {
  return { what, key, distribution: distributionOf(values) };
}

function movesOf({ traces, changes, log }: Observed, kind: ChangeKind): readonly Move[] {
  return changes.filter((change) => change.kind === kind).flatMap((change) => movesIn(traces, change, log));
}

function known(values: readonly (number | null)[]): readonly number[] {
  return values.filter((value) => value !== null);
}

/** How often tasks were taken by a worker, against how many of them had to be. */
function moveFinding(
  { changes, log }: Observed,
  kind: ChangeKind,
): { readonly row: Row; readonly kind: ChangeKind; readonly moved: number; readonly least: number } {
  const these = changes.filter((change) => change.kind === kind);
  const moved = these
    .map(({ fromMs, toMs }) => log.filter(({ _tag, atMs }) => _tag === "Assigned" && atMs >= fromMs && atMs <= toMs))
    .reduce((sum, taken) => sum + taken.length, 0);
  const least = these.reduce((sum, change) => sum + leastMoves(change), 0);
  const row: Row = {
    what: `moves, ${these.length} × ${kind}`,
    cells: [String(moved)],
    verdict: { goal: `${least}, the fewest`, isMet: moved === least },
  };
  return { row, kind, moved, least };
}

/** The tasks of who went, and those that have to leave somebody who stays. */
function leastMoves({ before, after }: Change): number {
  const present = new Set(after.members.map(({ member }) => member));
  const orphans = before.members
    .filter(({ member }) => !present.has(member))
    .reduce((sum, { tasks }) => sum + tasks.length, 0);
  const owned = after.members.map(
    ({ member }) => before.members.find((other) => other.member === member)?.tasks.length ?? 0,
  );
  return orphans + minimalMoves(owned, after.tasks.length);
}
