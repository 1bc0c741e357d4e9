import { assignor } from "./assignor.ts";
import { group } from "./group/group.ts";
import { idle } from "./idle.ts";
import { heap } from "./memory/heap.ts";
import { chain } from "./operators/chain.ts";
import { handlers } from "./operators/handlers.ts";
import { settle } from "./settle.ts";
import type { Trial } from "./trial.ts";

/** The benchmarks that have goals, by name. */
export const trials: Readonly<Record<"assignor" | "chain" | "group" | "handlers" | "heap" | "idle" | "settle", Trial>> =
  {
    chain,
    handlers,
    heap,
    assignor,
    group,
    idle,
    settle,
  };

export type TrialName = keyof typeof trials;
