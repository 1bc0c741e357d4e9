export type {
  CommittedPosition,
  RawRecord,
  Sendable,
  SettleOptions,
  TestDriver,
  TestDriverOptions,
  WorkerDescription,
  WorkerOptions,
} from "./driver/test-driver.ts";
export type { TestDriverErrorTag } from "./driver/test-driver-error.ts";
export { TestDriverError } from "./driver/test-driver-error.ts";
export type { EffectMarbles } from "./marbles/effect-marbles.ts";
export { effectMarbles } from "./marbles/effect-marbles.ts";
export type { MarbleErrorTag } from "./marbles/marble-error.ts";
export { MarbleError } from "./marbles/marble-error.ts";
export type { MarbleExpectation, MarbleRun } from "./marbles/marble-run.ts";
export type { LetterValues, TopicMarbles } from "./marbles/topic-marbles.ts";
export { marblesBy, marblesOf } from "./marbles/topic-marbles.ts";
export type { MarbleOptions } from "./marbles.ts";
export { runMarbles } from "./marbles.ts";
export type { MemoryAdapter } from "./memory-adapter.ts";
export { memoryAdapter } from "./memory-adapter.ts";
export { createTestDriver } from "./test-driver.ts";
export type { VirtualClock } from "./virtual-clock.ts";
export { createVirtualClock } from "./virtual-clock.ts";
