/**
 * Arbitraries of fast-check for programs on Millrace: records of a topic, their keys and times, and what befalls workers.
 *
 * Needs fast-check 4.
 */

export type { DiagramOptions, GeneratedDiagram } from "./arbitraries/diagrams.ts";
export { diagramsOf } from "./arbitraries/diagrams.ts";
export type { EventTimeOptions, EventTimes, Rare, TimeStep } from "./arbitraries/event-times.ts";
export { eventTimes } from "./arbitraries/event-times.ts";
export type { EndOf, FaultKind, FaultOptions, FaultSchedule, WorkerFault } from "./arbitraries/faults.ts";
export { faultSchedules } from "./arbitraries/faults.ts";
export type { KeyOptions } from "./arbitraries/keys.ts";
export { hotKey, uniformKeys, zipfKeys } from "./arbitraries/keys.ts";
export { ownerRow } from "./arbitraries/owner-row.ts";
export type { Arrival, FieldFor, Place, RecordsOptions } from "./arbitraries/records-of.ts";
export { arrivalsOf, recordsOf } from "./arbitraries/records-of.ts";
export type { TypeArbitraries } from "./arbitraries/value-arbitrary.ts";
