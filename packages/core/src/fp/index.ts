// The public surface of @millrace/core/fp: operators and runs for functions that answer with Either and TaskEither.

export { LeftError } from "./left-error.ts";
export type { LeftDecision, LeftOptions, OnLeft } from "./lefts.ts";
export type { MapEitherKOptions } from "./map-either-k.ts";
export { mapEitherK } from "./map-either-k.ts";
export type { MapOrderedTEOptions } from "./map-ordered-te.ts";
export { mapOrderedTE } from "./map-ordered-te.ts";
export type { RepeatableOptions, RetryTEOptions } from "./retry-te.ts";
export { doneTE, runTE } from "./run-te.ts";
export type { SinkTEOptions } from "./sink-te.ts";
export { sinkTE } from "./sink-te.ts";
