export type { MemoryAdapter } from "./memory-adapter.ts";
export { memoryAdapter } from "./memory-adapter.ts";
export type { VirtualClock } from "./virtual-clock.ts";
export { createVirtualClock } from "./virtual-clock.ts";
