import { Random, type Weather } from "@millrace/testing/simulation";

/** Something that is done to the system. Times in ms of simulated time, from the start of the scenario. */
export interface Fault {
  readonly kind: FaultKind;
  readonly atMs: number;
  /** How long it lasts, where it lasts; for `lose`, how much the store forgets. */
  readonly forMs: number;
  /** Which of the workers that are there, by number. */
  readonly victim: number;
}

type FaultKind =
  /** A worker dies, and another one starts `forMs` later. */
  | "kill"
  /** The same, under the name of the dead one. */
  | "killNamed"
  /** A worker stands still, as under SIGSTOP. */
  | "freeze"
  /** All connections of a worker break. */
  | "break"
  /** Neither requests nor answers of a worker get through. */
  | "cut"
  /** Requests get through, answers do not. */
  | "cutReplies"
  /** A worker is told to stop; another one starts `forMs` later. */
  | "stop"
  /** One more worker. */
  | "join"
  /** The store stands still. */
  | "stall"
  /** The store is down, and comes back with all that it had. */
  | "restart"
  /** The store is down for a moment, and comes back without what was written in the last `forMs`. */
  | "lose"
  /** The store's clock is set forward by `forMs`, back with an odd victim: sessions end early, or late. */
  | "storeClock"
  /** A worker's clock is set forward by `forMs`, back with an odd victim. */
  | "workerClock"
  /** The producer dies, and another one sends the input from its beginning. */
  | "killProducer"
  /** The producer stands still while another one sends the input from its beginning. */
  | "freezeProducer";

/** All that decides a run. */
export interface Scenario {
  /** Decides what the rest leaves open: latencies, which calls are hit, how long handlers take. */
  readonly seed: number;
  readonly workload: WorkloadName;
  readonly records: number;
  readonly keys: number;
  readonly partitions: number;
  /** Of topics in the middle and at the end. */
  readonly partitionsBehind: number;
  /** The input comes in portions of so many records, with a pause between them. */
  readonly portion: number;
  readonly pauseMs: number;
  /** The longest that a handler takes. */
  readonly handlerMs: number;
  readonly workers: number;
  readonly weather: Weather;
  /** By how much clocks of processes are wrong. */
  readonly skewMs: number;
  /** How much state a worker holds; `null`: the default. */
  readonly maxStateBytes: number | null;
  readonly faults: readonly Fault[];
}

const WORKLOADS = ["copy", "fold", "windows", "letters", "sinks", "distinct"] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

const FAULTS: readonly FaultKind[] = [
  "kill",
  "kill",
  "killNamed",
  "freeze",
  "freeze",
  "break",
  "cut",
  "cutReplies",
  "stop",
  "join",
  "stall",
  "restart",
  "lose",
  "storeClock",
  "workerClock",
  "killProducer",
  "freezeProducer",
];

/** The scenario of a seed: most are small, because small ones show most mistakes, and a few are larger. */
export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed ^ 0x5bd1e995);
  const isLarge = random.chance(0.04);
  const isCalm = random.chance(0.2);
  return {
    seed,
    // One that runs two pipelines takes twice the time.
    workload: random.pick([...WORKLOADS, ...WORKLOADS.filter((name) => name !== "windows")]),
    records: random.int(1, isLarge ? 60 : 12),
    keys: random.int(1, 4),
    partitions: random.int(1, isLarge ? 4 : 2),
    partitionsBehind: random.int(1, 2),
    portion: random.int(1, isLarge ? 20 : 6),
    pauseMs: random.pick([0, 5, 50, 50, 200]),
    handlerMs: random.pick([0, 0, 3, 40, 300]),
    workers: random.int(1, 3),
    weather: {
      latencyMs: random.pick([0, 1, 10, 100]),
      breaks: isCalm ? 0 : random.pick([0, 0.01, 0.05]),
      doubles: isCalm ? 0 : random.pick([0, 0, 0.05]),
      lostHints: random.pick([0, 0.5, 1]),
    },
    skewMs: random.pick([0, 0, 5_000, 86_400_000]),
    maxStateBytes: random.pick([1, 2_000, null]),
    faults: faultsOf(random, isCalm ? 0 : random.int(0, isLarge ? 8 : 4)),
  };
}

function faultsOf(random: Random, count: number): readonly Fault[] {
  const faults = Array.from({ length: count }, () => ({
    kind: random.pick(FAULTS),
    atMs: random.int(0, random.pick([200, 400, 1_000, 3_000])),
    forMs: random.pick([1, 20, 200, 200, 900, 900, 1_500, 3_000]),
    victim: random.int(0, 2),
  }));
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}
