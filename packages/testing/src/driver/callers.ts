/** Whose call it is that sets a timer on the clock that users have. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { WorkerGate } from "./worker-gate.ts";

const gates = new AsyncLocalStorage<WorkerGate>();

/** Calls a function of the user's: what it does from now on, also behind what it waits for, it does in the worker of that gate. */
export function inWorker<R>(gate: WorkerGate, call: () => R): R {
  return gates.run(gate, call);
}

/** The gate of the worker in which the caller runs; `null`: of none, as the test itself. */
export function gateOfCaller(): WorkerGate | null {
  return gates.getStore() ?? null;
}
