/** Which fault comes when: a function of the seed alone. What it can do at that moment is decided in `faults.ts`. */
import { type Random, randomFrom } from "./random.ts";

/** What is done to the system. */
export type FaultKind =
  /** SIGKILL. */
  | "kill"
  /** SIGSTOP, and SIGCONT a while later. */
  | "freeze"
  /** SIGTERM. */
  | "stop"
  /** One more worker. */
  | "start"
  /** Nothing gets through to the worker or from it for a while; then everything arrives. */
  | "cut"
  /** Requests are executed, replies are lost, and then the connections break. */
  | "lose replies"
  /** The same for the producer. */
  | "lose producer's replies"
  /** CLIENT KILL of every connection. */
  | "client kill"
  /** CLIENT PAUSE. */
  | "client pause"
  | "script flush"
  /** kill -9 of the server, which comes back with its append-only file. */
  | "redis restart";

/** One step of a run. */
export interface Step {
  /** Time to wait before it. */
  readonly gapMs: number;
  readonly kind: FaultKind;
  /** Which of the possible victims, 0 to 1. */
  readonly victim: number;
  /** How long the fault lasts, where it does. */
  readonly durationMs: number;
  /** Whether a freeze or a cut ends just after others have taken the victim's tasks over, if that comes first. */
  readonly untilTakeOver: boolean;
  /** How long after the take-over: a zombie may meet the new owner in each of its first steps. */
  readonly lingerMs: number;
  /** How long after it a worker that is gone is replaced, and whether under the same name. */
  readonly replaceAfterMs: number;
  readonly keepsName: boolean;
}

/** How often each fault comes, in proportion. */
export type Mix = Readonly<Partial<Record<FaultKind, number>>>;

/** What a schedule depends on. */
export interface ScheduleOptions {
  readonly seed: number;
  readonly sessionMs: number;
  readonly mix: Mix;
  /** Mean time between faults. */
  readonly gapMs: number;
  /** How many of the freezes and cuts end at the take-over, 0 to 1. */
  readonly takeOvers: number;
}

/** Everything. The restart of the server costs a second or two each time. */
export const FULL_MIX: Mix = {
  kill: 4,
  freeze: 4,
  stop: 2,
  start: 2,
  cut: 3,
  "lose replies": 3,
  "lose producer's replies": 1,
  "client kill": 1,
  "client pause": 1,
  "script flush": 1,
  "redis restart": 1,
};

/** One gap in so many is long enough for the group to come to rest. */
const CALM_EVERY = 8;
const CALM_SESSIONS = 3;

/** In which a new owner acquires a task, reads, and commits for the first time. */
const LONGEST_LINGER_MS = 25;

/** An endless schedule. */
export function* schedule({ seed, sessionMs, mix, gapMs, takeOvers }: ScheduleOptions): Generator<Step, never> {
  const random = randomFrom(seed);
  for (;;) {
    const gap = gapMs * (0.3 + 1.4 * random());
    const isCalm = random() * CALM_EVERY < 1;
    yield {
      gapMs: isCalm ? Math.max(gap, CALM_SESSIONS * sessionMs) : gap,
      kind: pick(mix, random),
      victim: random(),
      durationMs: sessionMs * (0.5 + 2.5 * random()),
      untilTakeOver: random() < takeOvers,
      lingerMs: LONGEST_LINGER_MS * random(),
      replaceAfterMs: sessionMs * 1.5 * random(),
      keepsName: random() < 0.5,
    };
  }
}

function pick(mix: Mix, random: Random): FaultKind {
  const kinds = Object.entries(mix) as [FaultKind, number][];
  let left = random() * kinds.reduce((total, [, weight]) => total + weight, 0);
  for (const [kind, weight] of kinds) {
    left -= weight;
    if (left < 0) {
      return kind;
    }
  }
  return "kill";
}
