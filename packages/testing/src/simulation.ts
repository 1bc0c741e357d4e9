/**
 * Deterministic simulation: the real runtime, several processes of it, on a simulated network, in simulated time. A seed
 * decides everything that happens.
 */
export type { Cut, Weather } from "./simulation/link.ts";
export { Random } from "./simulation/random.ts";
export { NoEnd, Scheduler } from "./simulation/scheduler.ts";
export { SimulatedAdapter } from "./simulation/simulated-adapter.ts";
export { SimulatedProcess } from "./simulation/simulated-process.ts";
