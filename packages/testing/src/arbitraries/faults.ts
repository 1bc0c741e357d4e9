import { type Duration, MillraceError } from "@millrace/core";
import * as fc from "fast-check";
import { checkOptions, durationMs } from "./options.ts";

/** Faults, and what each of them ends with: `crash` and `stop` with `start`, `freeze` with `thaw`, `cut` with `mend`. */
export type FaultKind = "crash" | "stop" | "freeze" | "cut";

/** What ends a fault. */
export type EndOf<K extends FaultKind> = K extends "crash" | "stop" ? "start" : K extends "freeze" ? "thaw" : "mend";

/** Something that happens to a worker. */
export interface WorkerFault<K extends FaultKind = FaultKind> {
  /** When, in ms since the beginning; > 0. */
  readonly atMs: number;
  readonly worker: string;
  /**
   * - `"crash"`: killed, as by `kill -9`. `"stop"`: it leaves in good order. `"start"` ends both.
   * - `"freeze"`: suspended, as by `SIGSTOP`, until `"thaw"`.
   * - `"cut"`: it runs, and its calls do not reach the store, until `"mend"`.
   */
  readonly action: K | EndOf<K>;
}

/** What happens to workers that all run at the beginning. */
export interface FaultSchedule<K extends FaultKind = FaultKind> {
  readonly workers: readonly string[];
  /** By time. */
  readonly faults: readonly WorkerFault<K>[];
}

/** What schedules may hold. */
export interface FaultOptions<K extends FaultKind = FaultKind> {
  /** The names of the workers. For owner rows: letters. At least one. */
  readonly workers: readonly string[];
  /** When the last fault is over, at the latest. */
  readonly within: Duration;
  /** Faults begin and end at multiples of it. Default `"100 ms"`; at most half of `within`. */
  readonly step?: Duration;
  /** Which faults there are, the simplest first. Default crash and stop. */
  readonly kinds?: readonly K[];
  /** How many faults at most, without what ends them. Default 5. */
  readonly most?: number;
  /**
   * How many workers are without a fault at any time. Default 1; 0: all may be away at once. As many as there are: no faults at all, so
   * for one worker alone say 0.
   */
  readonly alive?: number;
  /** Whether every fault ends. Default `true`; otherwise some stay, but `alive` workers are without a fault all the same. */
  readonly recovers?: boolean;
}

/** A fault as it is drawn: in steps, and whether or not it fits. */
interface Episode<K> {
  readonly at: number;
  readonly worker: number;
  readonly kind: K;
  /** `null`: for ever. */
  readonly steps: number | null;
}

/** An episode that takes place. `end`: in steps. */
interface Accepted<K> extends Episode<K> {
  readonly end: number;
}

const OPTIONS = ["workers", "within", "step", "kinds", "most", "alive", "recovers"] satisfies (keyof FaultOptions)[];

const ENDS: { readonly [Kind in FaultKind]: EndOf<Kind> } = {
  crash: "start",
  stop: "start",
  freeze: "thaw",
  cut: "mend",
};

/**
 * Schedules of faults. A worker has one fault at a time, and none begins in the step in which its last one ended. Shrinks towards fewer
 * faults, earlier and shorter ones, of the first worker and of the first kind. Counterexamples print one fault a line. Throws
 * `InvalidOption`.
 */
export function faultSchedules<K extends FaultKind = "crash" | "stop">(
  options: FaultOptions<K>,
): fc.Arbitrary<FaultSchedule<K>> {
  checkOptions("faultSchedules", options, OPTIONS);
  const { workers, most = 5, alive = 1, recovers = true } = options;
  // Where no kinds are given, nothing says that K is another type than the default.
  const kinds = options.kinds ?? (["crash", "stop"] as readonly FaultKind[] as readonly K[]);
  const stepMs = durationMs("faultSchedules: step", options.step ?? "100 ms");
  const last = stepMs === 0 ? 0 : Math.floor(durationMs("faultSchedules: within", options.within) / stepMs);
  checkFaults({ workers, kinds, alive, last });
  const steps = fc.integer({ min: 1, max: last - 1 });
  const episode = fc.record({
    at: steps,
    worker: fc.nat(workers.length - 1),
    kind: fc.constantFrom(...kinds),
    steps: recovers ? steps : fc.oneof({ withCrossShrink: true }, steps, fc.constant(null)),
  });
  return fc
    .array(episode, { maxLength: most })
    .map((episodes) => scheduleOf(fitting(episodes, { workers: workers.length, alive, last }), { workers, stepMs }));
}

function checkFaults(given: {
  readonly workers: readonly string[];
  readonly kinds: readonly FaultKind[];
  readonly alive: number;
  readonly last: number;
}): void {
  const { workers, kinds, alive, last } = given;
  check(
    Array.isArray(workers) && workers.length > 0 && new Set(workers).size === workers.length,
    "workers must be names, at least one, each once",
  );
  check(
    kinds.length > 0 && kinds.every((kind) => Object.hasOwn(ENDS, kind)),
    `kinds must be some of ${Object.keys(ENDS).join(", ")}`,
  );
  check(
    Number.isInteger(alive) && alive >= 0 && alive <= workers.length,
    `alive must be a whole number from 0 to the number of workers, ${workers.length}, not ${alive}`,
  );
  check(last >= 2, "within must be at least two steps long, and a step at least 1 ms");
}

function check(isTrue: boolean, problem: string): void {
  if (!isTrue) {
    throw new MillraceError("InvalidOption", `faultSchedules: ${problem}`);
  }
}

/** Those episodes, by time, that leave enough workers alive and each worker with one fault at a time. */
function fitting<K>(
  episodes: readonly Episode<K>[],
  { workers, alive, last }: { readonly workers: number; readonly alive: number; readonly last: number },
): readonly Accepted<K>[] {
  const accepted: Accepted<K>[] = [];
  for (const episode of episodes.toSorted((a, b) => a.at - b.at)) {
    const { at, worker, steps } = episode;
    // Who is away when it begins is all that are away at any time in it: the others begin later, and are judged then.
    const away = accepted.filter(({ end }) => end > at).length;
    const isFree = accepted.every((other) => other.worker !== worker || other.end < at);
    if (isFree && away < workers - alive) {
      accepted.push({ ...episode, end: steps === null ? Number.POSITIVE_INFINITY : Math.min(at + steps, last) });
    }
  }
  return accepted;
}

function scheduleOf<K extends FaultKind>(
  episodes: readonly Accepted<K>[],
  { workers, stepMs }: { readonly workers: readonly string[]; readonly stepMs: number },
): FaultSchedule<K> {
  const faults = episodes.flatMap(({ at, worker, kind, end }) => {
    const name = workers[worker] ?? "";
    const begin: WorkerFault<K> = { atMs: at * stepMs, worker: name, action: kind };
    const over: WorkerFault<K> = { atMs: end * stepMs, worker: name, action: ENDS[kind] };
    return end === Number.POSITIVE_INFINITY ? [begin] : [begin, over];
  });
  const schedule = { workers, faults: faults.toSorted((a, b) => a.atMs - b.atMs) };
  // For counterexamples only: it must not count when schedules are compared.
  return Object.defineProperty(schedule, fc.toStringMethod, { enumerable: false, value: () => textOf(schedule) });
}

function textOf({ workers, faults }: FaultSchedule): string {
  const lines = faults.map(({ atMs, worker, action }) => `  ${atMs} ms: ${action} ${worker}`);
  return [`faults of ${workers.join(", ")}:`, ...(lines.length === 0 ? ["  none"] : lines)].join("\n");
}
