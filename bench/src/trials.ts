import { assignor } from "./assignor.ts";
import { group } from "./group/group.ts";
import { idle } from "./idle.ts";
import { settle } from "./settle.ts";
import type { Trial } from "./trial.ts";

/** The benchmarks that have goals, by name. */
export const trials: Readonly<Record<"assignor" | "group" | "idle" | "settle", Trial>> = {
  assignor,
  group,
  idle,
  settle,
};

export type TrialName = keyof typeof trials;
