import type { Redis } from "ioredis";

/** What the two sides of a benchmark work with: alike for both. */
interface Setting {
  readonly url: string;
  /** For preparations and checks, and what the hand-written side works with. */
  readonly redis: Redis;
  readonly records: number;
}

/** One run. Only `work` is measured. */
interface Attempt {
  work(): Promise<void>;
  /** Throws unless `work` has done everything. */
  check(): Promise<void>;
  /** Frees what the attempt took, its output in Redis included. */
  close(): Promise<void>;
}

/** Prepares a run. `id` differs for each, and can be part of a name. */
type Contender = (id: string) => Promise<Attempt>;

/** Prepares all runs: writes the input that they read. */
export type OpenContender = (setting: Setting) => Promise<Contender>;

/** The same job, done in two ways. */
export interface Contest {
  readonly title: string;
  /** What the rival does, in a few words. */
  readonly rival: string;
  readonly sides: Readonly<Record<Side, OpenContender>>;
}

export type Side = "millrace" | "ioredis";
