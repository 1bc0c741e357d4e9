import { assignor } from "./assignor.ts";
import { group } from "./group/group.ts";
import { idle } from "./idle.ts";
import { heap } from "./memory/heap.ts";
import { chain } from "./operators/chain.ts";
import { handlers } from "./operators/handlers.ts";
import { settle } from "./settle.ts";
import { state } from "./state/state.ts";
import { takeOver } from "./state/take-over.ts";
import type { Trial } from "./trial.ts";

/** The benchmarks that have goals, by name. */
export const trials = {
  chain,
  handlers,
  heap,
  state,
  "take-over": takeOver,
  assignor,
  group,
  idle,
  settle,
} as const satisfies Readonly<Record<string, Trial>>;

export type TrialName = keyof typeof trials;
