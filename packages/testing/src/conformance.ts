/**
 * The definition of done for an adapter: every promise that the docstrings of core's ports make, as a test.
 *
 * Needs vitest and fast-check.
 */
import { describe } from "vitest";
import { describeAppend } from "./conformance/append.ts";
import { describeAppendRetries } from "./conformance/append-retries.ts";
import { describeCommit } from "./conformance/commit.ts";
import { describeCommitRetries } from "./conformance/commit-retries.ts";
import { describeFailures } from "./conformance/failures.ts";
import { describeFence } from "./conformance/fence.ts";
import { describeForeignEntries } from "./conformance/foreign-entries.ts";
import { describeForeignTypes } from "./conformance/foreign-types.ts";
import { describeGroupFaults } from "./conformance/group-faults.ts";
import { describeGroupGive } from "./conformance/group-give.ts";
import { describeGroupHints } from "./conformance/group-hints.ts";
import { describeGroupHistories } from "./conformance/group-histories.ts";
import { describeGroupMembership } from "./conformance/group-membership.ts";
import { describeGroupPlan } from "./conformance/group-plan.ts";
import { describeGroupProposals } from "./conformance/group-proposals.ts";
import { describeGroupSessions } from "./conformance/group-sessions.ts";
import { describeGroupSnapshot } from "./conformance/group-snapshot.ts";
import { describeGroupTake } from "./conformance/group-take.ts";
import { describeGroupTopology } from "./conformance/group-topology.ts";
import { describeOwnership } from "./conformance/ownership.ts";
import { describePositions } from "./conformance/positions.ts";
import { describeQuiet } from "./conformance/quiet.ts";
import { describeReader } from "./conformance/reader.ts";
import { describeReaderWaiting } from "./conformance/reader-waiting.ts";
import { describeRecords } from "./conformance/records.ts";
import { describeSeal } from "./conformance/seal.ts";
import { describeSessions } from "./conformance/sessions.ts";
import { describeStateDrop } from "./conformance/state-drop.ts";
import { describeStateDue } from "./conformance/state-due.ts";
import { describeStateGet } from "./conformance/state-get.ts";
import { describeStateHistories } from "./conformance/state-histories.ts";
import { describeStateMoments } from "./conformance/state-moments.ts";
import { describeStateStore } from "./conformance/state-store.ts";
import type { PortsConformance } from "./conformance/target.ts";
import { describeTimes } from "./conformance/times.ts";
import { describeTopics } from "./conformance/topics.ts";

export type { ConformanceTarget, Hook, PortsConformance, Site } from "./conformance/target.ts";

/** Generous: a test may wait for a read to run out, and for a busy machine. */
const TIMEOUT_MS = 30_000;

/**
 * Declares the tests of an adapter; call it at the top level of a vitest file.
 *
 * @example
 * ```ts
 * import { describePortsConformance } from "@millrace/testing/conformance";
 *
 * describePortsConformance({
 *   name: "my adapter",
 *   make: async () => {
 *     const store = await startMyStore();
 *     return {
 *       adapter: myAdapter({ url: store.url }),
 *       now: () => store.clock(),
 *       dispose: () => store.stop(),
 *       deleteTopic: (topic) => store.drop(topic.name),
 *       corrupt: { skip: "columns have types, nothing foreign can lie in them" },
 *       trim: { skip: "nothing is ever removed" },
 *       addForeign: { skip: "rows have the columns of a record" },
 *       exhaust: { skip: "the disk cannot be filled from a test" },
 *     };
 *   },
 * });
 * ```
 */
export function describePortsConformance(spec: PortsConformance): void {
  describe(`${spec.name} keeps the promises of the ports`, { timeout: TIMEOUT_MS }, () => {
    describeSessions(spec);
    describeTopics(spec);
    describeAppend(spec);
    describeAppendRetries(spec);
    describeSeal(spec);
    describeRecords(spec);
    describeForeignEntries(spec);
    describeReader(spec);
    describeReaderWaiting(spec);
    describeTimes(spec);
    describeGroupMembership(spec);
    describeGroupPlan(spec);
    describeGroupSessions(spec);
    describeGroupProposals(spec);
    describeGroupTake(spec);
    describeGroupGive(spec);
    describeGroupSnapshot(spec);
    describeGroupTopology(spec);
    describeGroupHints(spec);
    describeGroupFaults(spec);
    describeGroupHistories(spec);
    describeOwnership(spec);
    describePositions(spec);
    describeQuiet(spec);
    describeCommit(spec);
    describeCommitRetries(spec);
    describeFence(spec);
    describeFailures(spec);
    describeForeignTypes(spec);
    describeStateStore(spec);
    describeStateGet(spec);
    describeStateDue(spec);
    describeStateDrop(spec);
    describeStateHistories(spec);
    describeStateMoments(spec);
  });
}
