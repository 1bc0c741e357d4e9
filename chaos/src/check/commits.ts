import type { Accepted, History, Stay, Violation } from "../history.ts";
import { acceptedCommits } from "./accepted.ts";
import { faultsAround, inOrder, timeText } from "./excerpt.ts";
import { grouped } from "./grouped.ts";
import { compareOffsets } from "./offsets.ts";

/**
 * What workers were told about their commits. Times do not matter: a reply may be read long after the commit.
 *
 * - **fenced commit**: no stay had a commit accepted at or behind the record with which a later stay began.
 * - **commits disjoint**: no record was covered by two accepted commits, and along a stay offsets rise.
 */
export function checkCommits(history: History): readonly Violation[] {
  const commits = history.processes.flatMap(acceptedCommits);
  const stays = grouped(
    history.processes.flatMap(({ lines }) => lines.filter((line): line is Stay => line._tag === "stay")),
    ({ task }) => task,
  );
  return [...fenced(history, commits, stays), ...fallsOf(history, commits), ...overlaps(history, commits)];
}

function fenced(
  history: History,
  commits: readonly Accepted[],
  stays: ReadonlyMap<string, readonly Stay[]>,
): readonly Violation[] {
  const found: Violation[] = [];
  const committed = new Set(commits.map(({ stay }) => stay?.stay));
  for (const commit of commits) {
    const { stay } = commit;
    const later = (stays.get(commit.task) ?? []).find(
      (other) => stay !== null && isLater(other, stay, committed) && compareOffsets(commit.offset, other.offset) >= 0,
    );
    if (later !== undefined) {
      const message = `${stay?.stay} had a commit of ${commit.task} up to ${commit.offset} accepted, but ${later.stay} had begun at ${later.offset}`;
      found.push(violation(history, { invariant: "fenced commit", message }, [commit], [later]));
    }
  }
  return found;
}

/**
 * Stored offsets only rise, so a stay that began further on acquired the task later. Of two that began at one record the
 * order is unknown, but only one of them can have committed.
 */
function isLater(other: Stay, stay: Stay, committed: ReadonlySet<string | undefined>): boolean {
  const order = compareOffsets(other.offset, stay.offset);
  return other.stay !== stay.stay && (order > 0 || (order === 0 && committed.has(other.stay)));
}

function fallsOf(history: History, commits: readonly Accepted[]): readonly Violation[] {
  const found: Violation[] = [];
  const byStay = grouped(commits, ({ process, stay, task }) => `${process} ${stay?.stay} ${task}`);
  for (const accepted of byStay.values()) {
    for (const [at, commit] of accepted.entries()) {
      const before = accepted[at - 1];
      if (before !== undefined && compareOffsets(commit.offset, before.offset) <= 0) {
        const message = `${commit.process} committed ${commit.task} up to ${commit.offset} behind ${before.offset}`;
        found.push(violation(history, { invariant: "commits disjoint", message }, [before, commit], []));
      }
    }
  }
  return found;
}

function overlaps(history: History, commits: readonly Accepted[]): readonly Violation[] {
  const logs = grouped(
    [...history.between, ...history.input.map((record) => ({ ...record, topic: history.inputTopic }))],
    ({ topic, partition }) => `${topic}/${partition}`,
  );
  return [...grouped(commits, (commit) => commit.task)].flatMap(([task, accepted]) => {
    const places = new Map((logs.get(task) ?? []).map(({ offset }, place) => [offset, place]));
    const inOffsetOrder = accepted.toSorted((a, b) => compareOffsets(a.offset, b.offset));
    return inOffsetOrder.slice(1).flatMap((commit, at) => {
      const before = inOffsetOrder[at];
      const overlap = before === undefined ? 0 : commit.records - distance(places, before.offset, commit.offset);
      if (before === undefined || overlap <= 0) {
        return [];
      }
      const message = `${overlap} records of ${task} are covered by two accepted commits`;
      return [violation(history, { invariant: "commits disjoint", message }, [before, commit], [])];
    });
  });
}

/** How many records lie behind one offset, up to another one; infinitely many where the log does not say. */
function distance(places: ReadonlyMap<string, number>, from: string, to: string): number {
  const [fromPlace, toPlace] = [places.get(from), places.get(to)];
  return fromPlace === undefined || toPlace === undefined ? Number.POSITIVE_INFINITY : toPlace - fromPlace;
}

function violation(
  history: History,
  what: Pick<Violation, "invariant" | "message">,
  commits: readonly Accepted[],
  stays: readonly Stay[],
): Violation {
  const times = [...commits, ...stays].map(({ atMs }) => atMs);
  const lines = [
    ...commits.map(
      ({ process, stay, atMs, task, offset, records }) =>
        `${timeText(atMs)} ${process} (stay ${stay?.stay ?? "unknown"}) was told: ${records} records of ${task} committed up to ${offset}`,
    ),
    ...stays.map(
      ({ atMs, stay, task, offset }) => `${timeText(atMs)} stay ${stay} handles its first record of ${task}, ${offset}`,
    ),
    ...faultsAround(history, Math.min(...times), Math.max(...times)),
  ];
  return { ...what, excerpt: inOrder(lines) };
}
