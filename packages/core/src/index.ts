// The public surface of @millrace/core. Programs use the first part; adapters and test kits the second.

export type { App, AppOptions, Running, RunOptions } from "./app.ts";
export { createApp } from "./app.ts";
export type { Codec } from "./codec/codec.ts";
export { json } from "./codec/json.ts";
export type { OutputOf, Schema, StandardSchema } from "./codec/schema.ts";
export type { Issue, MillraceErrorTag } from "./errors.ts";
export { DecodeError, EncodeError, HandlerError, MillraceError } from "./errors.ts";
export type { Duration, InvalidDuration } from "./kernel/duration.ts";
export { parseDuration } from "./kernel/duration.ts";
export { murmur2, partitionOf } from "./kernel/partitioner.ts";
export type { Aggregated, AggregateOptions } from "./operators/aggregate.ts";
export { aggregate } from "./operators/aggregate.ts";
export type { Aggregate, Aggregates } from "./operators/aggregates.ts";
export { count, fold, max, mean, min, sum } from "./operators/aggregates.ts";
export { around } from "./operators/around.ts";
export { asRecords } from "./operators/as-records.ts";
export type { BatchOptions } from "./operators/batch.ts";
export { batch } from "./operators/batch.ts";
export type { CallOptions, RetryOptions } from "./operators/call-options.ts";
export type { DeduplicateOptions } from "./operators/deduplicate.ts";
export { deduplicate } from "./operators/deduplicate.ts";
export type { DistinctOptions, DistinctValue } from "./operators/distinct.ts";
export { distinct } from "./operators/distinct.ts";
export type { SinkFunction, SinkOptions } from "./operators/external-sink.ts";
export type { SinkCall } from "./operators/external-sink-call.ts";
export { filter } from "./operators/filter.ts";
export { flatMap } from "./operators/flat-map.ts";
export type { Call } from "./operators/handler.ts";
export type { Limiter } from "./operators/limiter.ts";
export { limiter } from "./operators/limiter.ts";
export { map } from "./operators/map.ts";
export type { MapOrderedOptions, MapUnorderedOptions } from "./operators/map-ordered.ts";
export { flatMapOrdered, mapOrdered, mapUnordered } from "./operators/map-ordered.ts";
export { native } from "./operators/native.ts";
export type { PartitionByOptions } from "./operators/partition-by.ts";
export { partitionBy } from "./operators/partition-by.ts";
export type { PercentileOptions, Percentiles } from "./operators/percentile.ts";
export { percentile, percentiles } from "./operators/percentile.ts";
export { sink } from "./operators/sink.ts";
export type { StateOptions } from "./operators/state-codec.ts";
export { tap } from "./operators/tap.ts";
export type { Windowed, WindowOptions } from "./operators/window.ts";
export { window } from "./operators/window.ts";
export type { Emit } from "./operators/window-definition.ts";
export type { AlignedSpec, Every, SessionSpec, SlidingSpec, WindowSpec } from "./operators/window-spec.ts";
export { every, hopping, session, sliding, tumbling, unlimited } from "./operators/window-spec.ts";
export type { AppEvent } from "./ports/telemetry.ts";
export type { AskOptions, AskResult, DeadLetters, ListOptions } from "./runtime/dead-letters.ts";
export type { GroupDescription, MemberDescription, TaskDescription } from "./runtime/describe-group.ts";
export type { Limits } from "./runtime/limits.ts";
export type { MemberOptions } from "./runtime/member-options.ts";
export type { ObserveOptions } from "./runtime/observe.ts";
export type { Producer, ProducerOptions } from "./runtime/producer.ts";
export type { RestartOptions } from "./runtime/restart.ts";
export type { TaskStatus } from "./runtime/task-runner.ts";
export type { LetterSelection } from "./topology/command.ts";
export type { NodeDescription, PlanDescription } from "./topology/describe.ts";
export type { DeadLetterOptions, FailureDecision, FailureOptions, OnError } from "./topology/failure.ts";
export type { DeadLetter, LetterError } from "./topology/letter.ts";
export type { NativeOptions } from "./topology/native-section.ts";
export type { AroundHandler, CallInfo } from "./topology/node.ts";
export type { Pipeline } from "./topology/pipeline.ts";
export { pipeline } from "./topology/pipeline.ts";
export type { RecordInfo, StreamRecord } from "./topology/record.ts";
export type { Stream, StreamOptions, Sunk } from "./topology/stream.ts";
export { stream } from "./topology/stream.ts";
export type { Topic, TopicOptions } from "./topology/topic.ts";
export { topic } from "./topology/topic.ts";

// For adapters ---------------------------------------------------------------------------------------------------------

export { isName } from "./kernel/name.ts";
export type { Offset } from "./kernel/offset.ts";
export { BEFORE_FIRST, compareOffsets, entryIdOf, offsetOf } from "./kernel/offset.ts";
export { compareUtf8 } from "./kernel/utf8-order.ts";
export type { Adapter, Ports } from "./ports/adapter.ts";
export type { Clock } from "./ports/clock.ts";
export { sleep, systemClock } from "./ports/clock.ts";
export type {
  GiveRequest,
  Group,
  GroupError,
  GroupHint,
  GroupSnapshot,
  GroupView,
  JoinRequest,
  MemberInfo,
  MemberRef,
  PlanEntry,
  Proposal,
  StoredTopology,
  TakeAnswer,
  TopologyAnswer,
  TopologyChange,
} from "./ports/group.ts";
export { GROUP_TIMES } from "./ports/group.ts";
export type {
  AppendError,
  AppendRequest,
  EnsureTopicError,
  Log,
  NewRecord,
  PartitionTime,
  ProducerEnd,
  ReadBatch,
  ReadBudget,
  ReadError,
  Reader,
  StoredRecord,
  TopicInfo,
  TopicTimes,
} from "./ports/log.ts";
export type {
  Fenced,
  Full,
  GroupMismatch,
  NotMember,
  PortError,
  Refused,
  Regressed,
  SequenceGap,
  TopicLost,
  TopicMismatch,
  TopicSealed,
  Unavailable,
  WrongType,
} from "./ports/port-error.ts";
export { portError } from "./ports/port-error.ts";
export type { DuePage, DueRange, StatePage, StateStore } from "./ports/state-store.ts";
export type {
  AcquireError,
  Commit,
  CommitError,
  Output,
  Ownership,
  StateDelta,
  StatePut,
  TaskPosition,
  TaskRef,
  Tasks,
} from "./ports/tasks.ts";
