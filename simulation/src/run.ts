import { type Adapter, sleep } from "@millrace/core";
import { checkHistory, type Expectations, type HistoryLine, type Verdict } from "@millrace/testing/history";
import { NoEnd, Scheduler } from "@millrace/testing/simulation";
import { befall } from "./befall.ts";
import { Cluster } from "./cluster.ts";
import type { Scenario, WorkloadName } from "./scenario.ts";
import type { MakeWorkload, Witness } from "./workload.ts";
import { copy } from "./workloads/copy.ts";
import { distinct } from "./workloads/distinct.ts";
import { fold } from "./workloads/fold.ts";
import { letters } from "./workloads/letters.ts";
import { sinks } from "./workloads/sinks.ts";
import { windows } from "./workloads/windows.ts";

const MAKE: { readonly [Name in WorkloadName]: MakeWorkload } = { copy, fold, windows, letters, sinks, distinct };

/** What a run has shown. */
export interface Outcome {
  readonly violations: readonly string[];
  /** From the end of all faults and of the input to the end of the work (ms of simulated time). */
  readonly tookMs: number;
  readonly simulatedMs: number;
  readonly steps: number;
  readonly errors: readonly string[];
  readonly events: Cluster["events"];
  readonly history: readonly HistoryLine[];
  /** What the history shows; `null` where the scenario came to no end. */
  readonly verdict: Verdict | null;
  readonly expectations: Expectations;
}

/** A scenario must end so long after its last fault. */
const WITHIN_MS = 60_000;

/**
 * Runs a scenario.
 *
 * @param spoil puts something in front of the store, as every program sees it: what a test breaks must be found
 */
export async function run(scenario: Scenario, spoil: (store: Adapter) => Adapter = (store) => store): Promise<Outcome> {
  const scheduler = new Scheduler(scenario.seed);
  const startMs = scheduler.nowMs;
  const violations: string[] = [];
  const witness: Witness = {
    outside: scheduler.outside,
    pause: async (process) => {
      const ms = scheduler.random.int(0, scenario.handlerMs);
      if (ms > 0) {
        await sleep(process, ms);
      }
    },
    saw: (violation) => void violations.push(violation),
  };
  const workload = MAKE[scenario.workload](scenario, witness);
  const cluster = new Cluster(scheduler, scenario, workload, spoil);
  const expectations: Expectations = { flows: workload.flows ?? [], isDrained: true };
  let verdict: Verdict | null = null;
  let doneMs = Number.NaN;
  try {
    await scheduler.play(async () => {
      cluster.startProducer();
      for (let started = 0; started < scenario.workers; started += 1) {
        cluster.startWorker();
      }
      for (const fault of scenario.faults) {
        befall(fault, cluster, (atMs, action) => scheduler.at(startMs + atMs, scheduler.outside, action));
      }
      scheduler.at(startMs + lastMs(scenario), scheduler.outside, () => cluster.makeSafe());
      await cluster.done();
      doneMs = scheduler.nowMs;
      violations.push(...(await workload.judge(cluster.remains())));
      await cluster.writeContents();
      verdict = checkHistory(cluster.history, expectations);
      violations.push(...verdict.violations.map(({ invariant, message }) => `${invariant}: ${message}`));
    }, WITHIN_MS + lastMs(scenario));
  } catch (error) {
    if (!(error instanceof NoEnd)) {
      throw error;
    }
    violations.push(`G6: ${error.message}`);
  }
  return {
    violations,
    tookMs: doneMs - startMs - lastMs(scenario),
    simulatedMs: scheduler.nowMs - startMs,
    steps: scheduler.steps,
    errors: cluster.errors,
    events: cluster.events,
    history: cluster.history,
    verdict,
    expectations,
  };
}

function lastMs({ faults }: Scenario): number {
  return Math.max(0, ...faults.map(({ atMs, forMs }) => atMs + forMs));
}
