import type { Pair } from "./pair.ts";

/** One call of a sequence, and what it came to. */
export interface Step {
  /** The call, with all that it was given. */
  readonly call: string;
  /** Whether it looks at what the sequence has left. */
  readonly isLook: boolean;
  /** As text, with names that stand for those which only one adapter has. */
  readonly answers: Pair<string>;
}

/** A call to which the two adapters answer differently, with all the calls before it. */
export class Difference extends Error {
  constructor(steps: readonly Step[]) {
    super(`the adapters differ at the last of these calls\n\n${steps.filter(matters).map(lineOf).join("\n")}\n`);
    this.name = "Difference";
  }
}

/** Something that a busy machine may have caused, too: the sequence is played again. */
export class Inconclusive extends Error {
  constructor(steps: readonly Step[]) {
    super(`this may be the machine's fault, but it comes again and again\n\n${steps.map(lineOf).join("\n")}\n`);
    this.name = "Inconclusive";
  }
}

function matters({ isLook, answers }: Step): boolean {
  return !isLook || answers.memory !== answers.redis;
}

function lineOf({ call, answers: { memory, redis } }: Step, index: number): string {
  const number = `${index + 1}`.padStart(3);
  return memory === redis
    ? `${number}  ${call}\n       both:   ${memory}`
    : `${number}  ${call}\n       memory: ${memory}\n       Redis:  ${redis}`;
}

/** JSON with keys in order, and with numbers that JSON does not have. */
export function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, each: unknown) => {
      if (typeof each === "number" && !Number.isFinite(each)) {
        return `${each}`;
      }
      if (typeof each === "object" && each !== null && !Array.isArray(each)) {
        return Object.fromEntries(Object.entries(each).toSorted(([one], [two]) => (one < two ? -1 : 1)));
      }
      return each;
    }) ?? "nothing"
  );
}
