import { consume } from "./consume.ts";
import type { Benchmark } from "./contender.ts";
import { produce } from "./produce.ts";
import { transform } from "./transform.ts";

/** Every benchmark, by its name. */
export const benchmarks: Readonly<Record<"produce" | "consume" | "transform", Benchmark>> = {
  produce,
  consume,
  transform,
};

export type BenchmarkName = keyof typeof benchmarks;
