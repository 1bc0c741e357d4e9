import { consume } from "./consume.ts";
import type { Contest } from "./contender.ts";
import { produce } from "./produce.ts";
import { transform } from "./transform.ts";

/** The benchmarks that have a rival, by name. */
export const contests: Readonly<Record<"produce" | "consume" | "transform", Contest>> = {
  produce,
  consume,
  transform,
};

export type ContestName = keyof typeof contests;
