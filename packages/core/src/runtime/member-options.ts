import { hostname } from "node:os";
import { MillraceError } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { checkName, durationOption } from "../topology/topic.ts";

/** How a worker takes part in its consumer groups. */
export interface MemberOptions {
  /**
   * The worker's name in its groups. Default: random text. Give each worker a name of its own that outlives its process
   * (a StatefulSet's pod name, say), and a restarted worker takes its place back at once, with the tasks it had, instead of
   * waiting for its session to end. Of two workers with one name the later one stays; the earlier one stops with `Fenced`.
   */
  readonly id?: string | undefined;
  /** Without a sign of life for so long, the others take its tasks over. Default `"10 s"`, at least `"1 s"`. */
  readonly session?: Duration;
  /** How often it gives a sign of life. Default: a fifth of the session; at most a third of it. */
  readonly heartbeat?: Duration;
  /**
   * How long a task that goes to another worker may take to finish what it has begun. Then it is dropped, and what was not
   * committed is processed again by the other. Default `"10 s"`.
   */
  readonly revocation?: Duration;
  /** Its capacity in proportion to the other workers', above 0 and at most 1,000. Default 1. */
  readonly weight?: number;
}

/** {@link MemberOptions}, checked and complete. */
export interface MemberSettings {
  /** `null`: a random one for each app. */
  readonly id: string | null;
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  readonly revocationMs: number;
  readonly weight: number;
  readonly host: string;
  readonly pid: number;
}

const LEAST_SESSION_MS = 1_000;
const LEAST_HEARTBEAT_MS = 20;
const HEARTBEATS = 3;

/** Checks the options. Throws `InvalidName` or `InvalidOption`. */
export function memberSettings(options: MemberOptions = {}): MemberSettings {
  const { id = null, weight = 1 } = options;
  if (id !== null) {
    checkName("member", id);
  }
  if (!(typeof weight === "number" && weight > 0 && weight <= 1_000)) {
    throw new MillraceError("InvalidOption", `member: weight must be above 0 and at most 1000, not ${String(weight)}`);
  }
  const sessionMs = durationOption("member: session", options.session) ?? 10_000;
  if (sessionMs < LEAST_SESSION_MS) {
    throw new MillraceError("InvalidOption", `member: session must be at least 1 s, not ${sessionMs} ms`);
  }
  const heartbeatMs = durationOption("member: heartbeat", options.heartbeat) ?? sessionMs / 5;
  if (heartbeatMs * HEARTBEATS > sessionMs || heartbeatMs < LEAST_HEARTBEAT_MS) {
    throw new MillraceError(
      "InvalidOption",
      `member: a session of ${sessionMs} ms needs a heartbeat between ${LEAST_HEARTBEAT_MS} ms and a third of it (${Math.floor(sessionMs / HEARTBEATS)} ms), not ${heartbeatMs} ms`,
    );
  }
  const revocationMs = durationOption("member: revocation", options.revocation) ?? 10_000;
  return { id, sessionMs, heartbeatMs, revocationMs, weight, host: hostname(), pid: process.pid };
}
