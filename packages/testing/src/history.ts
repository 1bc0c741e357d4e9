/** Histories of what programs asked of a store, and what they show: see `docs/guides/history.md`. */

export { checkHistory, INVARIANTS } from "./history/check-history.ts";
export type { Touched } from "./history/contents.ts";
export { contentsOf, touchedBy } from "./history/contents.ts";
export { eventLine } from "./history/event-line.ts";
export type { WriteOptions } from "./history/json-lines.ts";
export { HistoryLineError, merged, parseHistory, writeLine } from "./history/json-lines.ts";
export type * from "./history/lines.ts";
export type { PrintOptions, PrintVerdictOptions } from "./history/print-history.ts";
export { printHistory, printVerdict } from "./history/print-history.ts";
export { recordHistory } from "./history/record-history.ts";
export type { RecordOptions } from "./history/recorder.ts";
export { machineClock } from "./history/recorder.ts";
export type { ShortestOptions } from "./history/shortest.ts";
export { shortest } from "./history/shortest.ts";
export type { Expectations, ExpectedState, Flow, Invariant, NotJudged, Verdict, Violation } from "./history/verdict.ts";
export { copies, recordId } from "./history/verdict.ts";
