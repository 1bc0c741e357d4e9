import type { AppEvent, Running } from "@millrace/core";
import { appOf } from "../millrace.ts";
import { APP, echoPipeline } from "./ticks.ts";

/** What a member can be asked for. It answers `cpu` with its {@link CpuReading}, anything else when it is done. */
export type MemberRequest = "join" | "leave" | "cpu";

/** CPU time that a process has used, and when. */
export interface CpuReading {
  readonly cpuUs: number;
  readonly atMs: number;
}

/** What happens on a member, in ms since the epoch. Tasks are named by their partition. */
export type MemberEvent = { readonly atMs: number } & (
  | { readonly _tag: "Started"; readonly generation: number; readonly given: readonly number[] }
  | { readonly _tag: "Assigned"; readonly partition: number; readonly pausedMs: number | null }
  | { readonly _tag: "Revoked"; readonly partition: number }
  /** What should not happen in a benchmark, or at least be told. */
  | { readonly _tag: "Trouble"; readonly what: string }
);

/** A worker of a group: `<url> <name> <partitions> <session>`. Connected when ready; joins when it is asked to. */
export async function openMember(
  args: readonly string[],
  emit: (event: MemberEvent) => void,
): Promise<(request: unknown) => Promise<unknown>> {
  const [url = "", name = "", partitions = "", session = ""] = args;
  const app = appOf(url, APP, { id: name, session: `${Number(session)} ms` });
  const pipeline = echoPipeline(Number(partitions), name);
  let running: Running | null = null;
  app.events$.subscribe((event) => {
    const told = eventOf(event);
    if (told !== null) {
      emit(told);
    }
  });
  await app.describeGroup(pipeline);
  const acts: Readonly<Record<MemberRequest, () => Promise<unknown>>> = {
    join: async () => {
      running = await app.run(pipeline);
    },
    leave: async () => running?.stop(),
    cpu: () => Promise.resolve(readCpu()),
  };
  return (request) => acts[request as MemberRequest]();
}

function readCpu(): CpuReading {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, atMs: performance.now() };
}

function eventOf(event: AppEvent): MemberEvent | null {
  const atMs = Date.now();
  switch (event._tag) {
    case "RebalanceStarted":
      return { _tag: "Started", atMs, generation: event.generation, given: event.given.map(partitionIn) };
    case "Assigned":
      return { _tag: "Assigned", atMs, partition: partitionIn(event.task), pausedMs: event.pausedMs };
    case "Revoked":
      return { _tag: "Revoked", atMs, partition: partitionIn(event.task) };
    case "Lost":
    case "SessionLost":
      return { _tag: "Trouble", atMs, what: `${event._tag}: ${event.reason}` };
    case "Fenced":
    case "Regressed":
    case "Stalled":
      return { _tag: "Trouble", atMs, what: `${event._tag}: ${event.message}` };
    case "Failed":
    case "Restarting":
      return { _tag: "Trouble", atMs, what: `${event._tag}: ${event.error.message}` };
    case "Quarantined":
      return { _tag: "Trouble", atMs, what: `${event._tag}: ${event.message}` };
    case "Joined":
    case "Idle":
    case "Waiting":
    case "RebalanceFinished":
    case "Committed":
    case "AheadOfTime":
    case "LateRecord":
    case "Gap":
    case "Completed":
    case "Retried":
    case "Finished":
    case "Stopped":
    case "Skipped":
    case "DeadLettered":
    case "RedriveFailed":
    case "Redriven":
    case "Resumed":
    case "LettersOrphaned":
      return null;
  }
}

/** A task is named `<group>/<topic>/<partition>`. */
function partitionIn(task: string): number {
  return Number(task.slice(task.lastIndexOf("/") + 1));
}
