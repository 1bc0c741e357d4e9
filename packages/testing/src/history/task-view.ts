import type { CallOf } from "./calls.ts";
import { linesOf } from "./calls.ts";
import { grouped } from "./grouped.ts";
import type { CommitInvoked, HistoryLine, PositionLine, TaskPlace } from "./lines.ts";

/**
 * What became of a commit. `effective`: it counts. `possible`: nobody knows, or the store may have lost it. `failed`: it never
 * had an effect.
 */
type Fate = "effective" | "possible" | "failed";

/** A commit, however often it was sent: one nonce, one number. */
export interface LogicalCommit {
  readonly nonce: string;
  readonly sequence: number;
  readonly invoke: CommitInvoked;
  readonly calls: readonly CallOf<"commit">[];
  readonly fate: Fate;
  /** Place of the first line at which it is known to have happened; `Infinity` where none says so. */
  readonly knownAt: number;
}

/** The owner of a task, from an acquisition on. */
export interface Acquisition {
  readonly nonce: string;
  readonly sequence: number;
  readonly call: CallOf<"acquire">;
}

/** Everything about one task. */
export class TaskView {
  readonly place: TaskPlace;
  /** Those that were answered, in the order of the answers. */
  readonly acquisitions: readonly Acquisition[];
  /** By number; those of one number in the order in which they were first sent. */
  readonly commits: readonly LogicalCommit[];
  readonly position: PositionLine | null;
  /** The store may have lost something that this task has written. */
  readonly isLossy: boolean;
  /** Commits by number, from 0 on without a hole; each is the only one that can have counted. */
  readonly chain: readonly LogicalCommit[];
  /** Whether {@link chain} is all that counted, but for one commit at its end of which nobody knows. */
  readonly isChainComplete: boolean;

  readonly #commits: ReadonlyMap<string, LogicalCommit>;

  constructor(
    place: TaskPlace,
    calls: { readonly acquires: readonly CallOf<"acquire">[]; readonly commits: readonly CallOf<"commit">[] },
    position: PositionLine | null,
  ) {
    this.place = place;
    this.position = position;
    this.isLossy = [...calls.acquires, ...calls.commits].some((call) => call.isLossy);
    this.acquisitions = calls.acquires.flatMap(acquisitionOf).toSorted((a, b) => a.call.to - b.call.to);
    const known = { acquisitions: this.acquisitions, ended: position?.sequence ?? null };
    this.commits = resolved(gathered(calls.commits), known, this.isLossy);
    this.#commits = new Map(this.commits.map((commit) => [commitId(commit.nonce, commit.sequence), commit]));
    this.chain = chainOf(this.commits);
    this.isChainComplete = this.chain.length >= highest([...candidatesOf(this.commits), ...reachedBy(known)]);
  }

  get name(): string {
    return taskName(this.place);
  }

  /** The commit of a number by an owner, if there was one. */
  commit(nonce: string, sequence: number): LogicalCommit | undefined {
    return this.#commits.get(commitId(nonce, sequence));
  }

  /** Commits that may have counted behind the chain. */
  get tail(): readonly LogicalCommit[] {
    return this.commits.filter(({ sequence, fate }) => sequence === this.chain.length && fate !== "failed");
  }

  /** The lines of all of its calls. */
  linesOf(commit: LogicalCommit): readonly HistoryLine[] {
    return commit.calls.flatMap(linesOf);
  }
}

/** `<group>/<topic>/<partition>`, as events name it. */
export function taskName({ group, topic, partition }: Omit<TaskPlace, "incarnation">): string {
  return `${group}/${topic}/${partition}`;
}

/** Whether `b` acquired the task behind `a`, by the order of the lines. */
export function isLaterOwner(b: Acquisition, a: Acquisition): boolean {
  return b.nonce !== a.nonce && b.call.from > a.call.to;
}

function acquisitionOf(call: CallOf<"acquire">): readonly Acquisition[] {
  return call.ok === null ? [] : [{ nonce: call.ok.nonce, sequence: call.ok.sequence, call }];
}

function commitId(nonce: string, sequence: number): string {
  return `${sequence} ${nonce}`;
}

/** Calls that sent the same commit, together. */
function gathered(calls: readonly CallOf<"commit">[]): readonly (readonly CallOf<"commit">[])[] {
  const found = new Map<string, CallOf<"commit">[]>();
  for (const call of calls) {
    const id = commitId(call.invoke.nonce, call.invoke.sequence);
    const same = found.get(id);
    if (same === undefined) {
      found.set(id, [call]);
    } else {
      same.push(call);
    }
  }
  return [...found.values()].toSorted((a, b) => sequenceOf(a) - sequenceOf(b));
}

function sequenceOf([call]: readonly CallOf<"commit">[]): number {
  return call?.invoke.sequence ?? 0;
}

/** What is known of a task beside its commits: who found how many of them, and how many there were in the end. */
interface Known {
  readonly acquisitions: readonly Acquisition[];
  readonly ended: number | null;
}

/** Numbers of commits that were seen. */
function reachedBy({ acquisitions, ended }: Known): readonly { readonly sequence: number }[] {
  return [...acquisitions, { sequence: ended ?? 0 }];
}

/** Those that may have counted. */
function candidatesOf(commits: readonly LogicalCommit[]): readonly LogicalCommit[] {
  return commits.filter(({ fate }) => fate !== "failed");
}

/**
 * The fate of every commit. Beside what it was told itself, what others were told decides: of a commit without an answer, a
 * later owner learns by its acquisition whether it had counted, and it cannot count any more behind that; the same goes for
 * how many there were in the end.
 */
function resolved(
  commits: readonly (readonly CallOf<"commit">[])[],
  told: Known,
  isLossy: boolean,
): readonly LogicalCommit[] {
  const known = commits.flatMap((calls) => logicalOf(calls, told.acquisitions));
  if (isLossy) {
    return known; // numbers may have come back: nothing follows from a higher one
  }
  const reached = highest([...reachedBy(told), ...known.filter(({ fate }) => fate === "effective")]);
  const candidates = grouped(candidatesOf(known), ({ sequence }) => sequence);
  return known.map((commit) => {
    const others = (candidates.get(commit.sequence) ?? []).filter((other) => other !== commit);
    if (commit.fate !== "possible") {
      return commit;
    }
    const isOver = told.ended !== null && commit.sequence >= told.ended;
    if (isOver || others.some(({ fate }) => fate === "effective")) {
      return { ...commit, fate: "failed" };
    }
    return commit.sequence < reached && others.length === 0 ? { ...commit, fate: "effective" } : commit;
  });
}

function logicalOf(calls: readonly CallOf<"commit">[], acquisitions: readonly Acquisition[]): readonly LogicalCommit[] {
  const [first] = calls;
  if (first === undefined) {
    return [];
  }
  const { nonce, sequence } = first.invoke;
  const answered = calls.filter(({ ok, isLossy }) => ok !== null && !isLossy);
  const knownAt = Math.min(...answered.map(({ to }) => to));
  const fate = fateOf(calls, acquisitions, answered.length > 0);
  return [{ nonce, sequence, invoke: first.invoke, calls, fate, knownAt }];
}

function fateOf(calls: readonly CallOf<"commit">[], acquisitions: readonly Acquisition[], isAnswered: boolean): Fate {
  if (isAnswered) {
    return "effective";
  }
  if (calls.every(({ hasFailed }) => hasFailed)) {
    return "failed";
  }
  const isUnknown = calls.every(({ ok }) => ok === null);
  return isUnknown && isSuperseded(calls, acquisitions) ? "failed" : "possible";
}

/** Whether a later owner found that the commit had not counted: it cannot count any more then. */
function isSuperseded(calls: readonly CallOf<"commit">[], acquisitions: readonly Acquisition[]): boolean {
  const { nonce, sequence } = calls[0]?.invoke ?? { nonce: "", sequence: 0 };
  const own = acquisitions.find((acquisition) => acquisition.nonce === nonce);
  return (
    own !== undefined &&
    acquisitions.some((other) => isLaterOwner(other, own) && other.sequence <= sequence && !other.call.isLossy)
  );
}

function chainOf(commits: readonly LogicalCommit[]): readonly LogicalCommit[] {
  const effective = grouped(
    commits.filter(({ fate }) => fate === "effective"),
    ({ sequence }) => sequence,
  );
  const chain: LogicalCommit[] = [];
  for (let next = effective.get(0); next !== undefined; next = effective.get(chain.length)) {
    const [only] = next;
    if (only === undefined || next.length > 1) {
      break;
    }
    chain.push(only);
  }
  return chain;
}

/** The highest number of commits that any of these speaks of. */
function highest(of: readonly { readonly sequence: number }[]): number {
  return of.reduce((most, { sequence }) => Math.max(most, sequence), 0);
}
