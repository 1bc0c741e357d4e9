import type { AppendRequest, Commit, NewRecord, Ownership, TaskRef, TopicInfo } from "@millrace/core";
import { fresh } from "./rig.ts";

/** A record whose payload is `payload`, with whatever else matters to the test. */
export function record(payload: string, rest: Partial<NewRecord> = {}): NewRecord {
  return { key: "", timestampMs: 0, payload, headers: {}, watermarkMs: null, ...rest };
}

/** Records with the payloads `<stem>0`, `<stem>1`, … */
export function records(count: number, stem = ""): readonly NewRecord[] {
  return Array.from({ length: count }, (_, n) => record(`${stem}${n}`));
}

/** An append to partition 0 by `"p"` from sequence 0, except for what the test says. */
export function appendOf(
  topic: TopicInfo,
  content: readonly NewRecord[],
  rest: Partial<AppendRequest> = {},
): AppendRequest {
  return { topic, partition: 0, producer: "p", ephemeral: false, firstSequence: 0, records: content, ...rest };
}

/** The task's next commit, which moves nothing but the sequence, except for what the test says. */
export function commitOf(task: TaskRef, owner: Ownership, rest: Partial<Commit> = {}): Commit {
  const { nonce, sequence, offset, processed } = owner;
  return { task, nonce, sequence, offset, processed, outputs: [], state: [], time: "", watermarks: [], ...rest };
}

/** The same topic as somebody remembers it who saw it before it was deleted and created again. */
export function otherIncarnation(topic: TopicInfo): TopicInfo {
  return { ...topic, incarnation: fresh("incarnation") };
}
