/**
 * **no stall**: while records wait in a partition, its task moves on within the session timeout + 1 s.
 *
 * A stall of a partition begins when its oldest unprocessed record was appended, or with the commit before that if it came
 * later, and ends when that record is committed (see `waits.ts`). Its clock starts anew
 *
 * - at each fault that hits a worker that holds the partition or is to have it, or any worker while nobody able to work
 *   holds it (that worker may be about to give it to somebody): the promise is about the time after the last fault;
 * - at the end of each outage of the server: sessions that ended meanwhile are renewed.
 *
 * What does not count: outages of the server, and time in which no worker that had joined was alive, unfrozen and connected.
 *
 * Behind the session timeout, which ends by the server's clock whatever the machine does, nor does what the machine did not
 * give: time in which the server, the driver, which all connections run through, or a worker that could work was ready to run
 * and had no CPU, in which the driver was not scheduled for another reason, or in which the server left a small write
 * unanswered for more than 100 ms (a slow disk, say).
 */
import type { Fault, History, Interval, ProcessHistory, Violation } from "../history.ts";
import { faultsAround, inOrder, timeText } from "./excerpt.ts";
import { lengthMs, union, without } from "./intervals.ts";
import { waitsOf } from "./waits.ts";

/** How much longer than a session a partition may stand still. */
const SLACK_MS = 1_000;

/** A time in which a partition did not move on although input waited. */
export interface Stall extends Interval {
  /** `<topic>/<partition>`. */
  readonly task: string;
  /** The longest time without a new start of the clock, without what does not count. */
  readonly countedMs: number;
  /** The same without new starts of the clock. */
  readonly netMs: number;
  /** How often the clock started anew. */
  readonly restarts: number;
}

/** Time that does not count, in ms; the same time may be in more than one of them. */
export interface Excused {
  readonly outageMs: number;
  /** Outages left out. */
  readonly slowServerMs: number;
  readonly starvedMs: number;
  readonly nobodyMs: number;
  readonly hiccupMs: number;
}

/** The stalls of a run, and what did not count. */
export interface Stalls {
  /** Where the counted time is longest; `null` without any input. */
  readonly longest: Stall | null;
  readonly violations: readonly Violation[];
  /** How many would have been violations, had their clock not started anew: what the rule above lets pass. */
  readonly forgiven: number;
  readonly excused: Excused;
}

/** See the head of this file. */
export function checkStalls(history: History): Stalls {
  const { begunMs, figures, ...excuses } = excusesOf(history);
  const boundMs = history.sessionMs + SLACK_MS;
  const violations: Violation[] = [];
  let longest: Stall | null = null;
  let forgiven = 0;
  for (const [task, spans] of waitsOf(history, begunMs)) {
    const hits = history.faults.filter((fault) => hitsTask(fault, task));
    const least = longest?.countedMs ?? 0;
    // What does not count only makes it shorter.
    const stalls = spans
      .filter(({ fromMs, toMs }) => toMs - fromMs > Math.min(least, boundMs))
      .map((span) => measure(task, span, hits, { ...excuses, sessionMs: history.sessionMs }));
    longest = longestOf([...(longest === null ? [] : [longest]), ...stalls]);
    forgiven += stalls.filter(({ netMs, countedMs }) => netMs > boundMs && countedMs <= boundMs).length;
    violations.push(
      ...stalls.filter(({ countedMs }) => countedMs > boundMs).map((stall) => violation(history, stall, boundMs)),
    );
  }
  return { longest, violations, forgiven, excused: figures };
}

function longestOf(stalls: readonly Stall[]): Stall | null {
  return stalls.reduce<Stall | null>(
    (longest, stall) => (longest === null || stall.countedMs > longest.countedMs ? stall : longest),
    null,
  );
}

function hitsTask({ tasks }: Fault, task: string): boolean {
  return tasks === null || tasks.includes(task);
}

/** What is taken from a stall. */
interface Excuses {
  /** What never counts. */
  readonly excused: readonly Interval[];
  /** What does not count behind the session timeout. */
  readonly machine: readonly Interval[];
}

function measure(
  task: string,
  span: Interval,
  hits: readonly Fault[],
  excuses: Excuses & { readonly sessionMs: number },
): Stall {
  const restarts = hits
    .map(({ isOutage, atMs, untilMs }) => (isOutage ? untilMs : atMs))
    .filter((atMs) => atMs > span.fromMs && atMs < span.toMs)
    .toSorted((a, b) => a - b);
  const starts = [span.fromMs, ...restarts];
  const counted = starts.map((fromMs, at) => lengthOf({ fromMs, toMs: starts[at + 1] ?? span.toMs }, excuses));
  return {
    ...span,
    task,
    countedMs: Math.max(...counted),
    netMs: lengthOf(span, excuses),
    restarts: restarts.length,
  };
}

/** How much of a span counts. */
function lengthOf(span: Interval, { excused, machine, sessionMs }: Excuses & { readonly sessionMs: number }): number {
  let behindMs = span.toMs;
  let leftMs = sessionMs;
  const counts = without([span], excused);
  for (const { fromMs, toMs } of counts) {
    if (leftMs >= 0 && toMs - fromMs > leftMs) {
      behindMs = Math.min(behindMs, fromMs + leftMs);
    }
    leftMs -= toMs - fromMs;
  }
  return lengthMs(without(counts, without(machine, [{ fromMs: span.fromMs, toMs: behindMs }])));
}

/** When the first worker had joined, and what does not count from then on: see the head of this file. */
function excusesOf({ processes, faults, hiccups, starved, slowServer, endMs }: History): Excuses & {
  readonly begunMs: number;
  readonly figures: Excused;
} {
  const able = processes.flatMap((process) => ableOf(process, faults, endMs));
  const outages = faults
    .filter(({ isOutage }) => isOutage)
    .map(({ atMs, untilMs }) => ({ fromMs: atMs, toMs: untilMs }));
  const begunMs = Math.min(endMs, ...able.map(({ fromMs }) => fromMs));
  const nobody = without([{ fromMs: begunMs, toMs: endMs }], able);
  const figures = {
    outageMs: Math.round(lengthMs(outages)),
    slowServerMs: Math.round(lengthMs(without(slowServer, outages))),
    starvedMs: Math.round(lengthMs(starved)),
    nobodyMs: Math.round(lengthMs(nobody)),
    hiccupMs: Math.round(lengthMs(hiccups)),
  };
  const machine = union([...slowServer, ...starved, ...hiccups]);
  return { begunMs, figures, excused: union([...nobody, ...outages]), machine };
}

/** When a process had joined and was alive, not told to stop, unfrozen and connected. */
function ableOf({ name, lines, leftMs }: ProcessHistory, faults: readonly Fault[], endMs: number): readonly Interval[] {
  const joined = lines.find(({ _tag }) => _tag === "running");
  if (joined === undefined) {
    return [];
  }
  const disturbed = faults
    .filter(({ victim }) => victim === name)
    .map(({ atMs, untilMs }) => ({ fromMs: atMs, toMs: untilMs }));
  return without([{ fromMs: joined.atMs, toMs: leftMs ?? endMs }], disturbed);
}

function violation(history: History, stall: Stall, boundMs: number): Violation {
  const { fromMs, toMs, task, countedMs, restarts } = stall;
  const rawMs = Math.round(toMs - fromMs);
  return {
    invariant: "no stall",
    message: `${task} stood still for ${Math.round(countedMs)} ms, ${boundMs} ms are allowed (${rawMs} ms in all, ${restarts} faults in between)`,
    excerpt: inOrder([
      `${timeText(fromMs)} a record waits in ${task}`,
      `${timeText(toMs)} ${task} moves on`,
      ...faultsAround(history, fromMs, toMs),
      ...workersAround(history, task, { fromMs, toMs }),
    ]),
  };
}

/** What workers did meanwhile with the task. */
function workersAround({ processes }: History, task: string, { fromMs, toMs }: Interval): readonly string[] {
  return processes.flatMap(({ name, lines }) =>
    lines
      .filter(({ atMs }) => atMs >= fromMs - SLACK_MS && atMs <= toMs + SLACK_MS)
      .flatMap((line) => {
        if (line._tag === "stay" && line.task === task) {
          return [`${timeText(line.atMs)} stay ${line.stay} handles its first record of ${task}`];
        }
        return line._tag === "event" ? [`${timeText(line.atMs)} ${name}: ${line.kind} ${line.text}`.slice(0, 200)] : [];
      }),
  );
}
