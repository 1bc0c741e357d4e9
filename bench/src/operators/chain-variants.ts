/** Five operators over numbers, in every way in which `chain` runs them. */
import { filter, map, native, pipeline, sink, stream, tap, topic } from "@millrace/core";
import { from, type OperatorFunction, filter as rxFilter, map as rxMap, pipe as rxPipe, tap as rxTap } from "rxjs";
import type { Figures } from "../race.ts";
import { type Took, watch } from "../stopwatch.ts";
import { counting } from "./counting.ts";
import { runInstantly, storedRecords } from "./instant-task.ts";

/**
 * Inputs are a multiple of this: then the last value passes the filters. A foreign filter may hold what it has dropped until
 * a value passes, and a run ends when everything is committed.
 */
export const MULTIPLE = 16;

const plusOne = (n: number): number => n + 1;
const isNotFirst = (n: number): boolean => n % MULTIPLE !== 1;
const threefold = (n: number): number => n * 3;
const isNotSixth = (n: number): boolean => n % 8 !== 6;

/** What was seen of the values: enough to notice one that is missing, doubled or in the wrong place. */
class Seen {
  private count = 0;
  private hash = 0;
  private tapped = 0;

  readonly tap = (n: number): void => {
    this.tapped += n;
  };

  readonly see = (n: number): void => {
    this.count += 1;
    this.hash = (Math.imul(this.hash, 31) + n) | 0;
  };

  get text(): string {
    return `${this.count} values, hash ${this.hash}, tapped ${this.tapped}`;
  }
}

type Operators = (seen: Seen) => OperatorFunction<number, number>;

const none: Operators = () => (source) => source;
const own: Operators = (seen) =>
  rxPipe(map(plusOne), filter(isNotFirst), map(threefold), tap(seen.tap), filter(isNotSixth));
const rxjs: Operators = (seen) =>
  rxPipe(rxMap(plusOne), rxFilter(isNotFirst), rxMap(threefold), rxTap(seen.tap), rxFilter(isNotSixth));
const oneSection: Operators = (seen) => native("five", rxjs(seen), { stateless: true });

/** Runs the numbers from 0 through the operators. */
type Run = (operators: OperatorFunction<number, number>, see: (n: number) => void) => Promise<Took>;

function inTask(count: number): Run {
  const records = storedRecords(count);
  return (operators, see) => {
    const source = topic("source", { codec: counting(), key: null, partitions: 1 });
    const dropped = topic("dropped", { codec: counting(), key: null, partitions: 1 });
    const isDropped = (n: number): boolean => {
      see(n);
      return false;
    };
    const chain = pipeline("chain", stream(source).pipe(operators, filter(isDropped), sink(dropped)));
    return runInstantly({ pipeline: chain, source: source.name, records });
  };
}

function onObservable(count: number): Run {
  const numbers = Array.from({ length: count }, (_, n) => n);
  return (operators, see) => {
    const chain = from(numbers).pipe(operators);
    return watch(() => chain.forEach(see));
  };
}

/** What `chain` sets beside each other. */
export const chainVariants = {
  "task, none": { open: inTask, operators: none },
  "task, own": { open: inTask, operators: own },
  "task, rxjs": { open: inTask, operators: rxjs },
  "task, one section": { open: inTask, operators: oneSection },
  "plain, none": { open: onObservable, operators: none },
  "plain, own": { open: onObservable, operators: own },
  "plain, rxjs": { open: onObservable, operators: rxjs },
} as const;

export type ChainVariant = keyof typeof chainVariants;

/** One variant, `<name> <count>`, ready to be run. A run rejects when its output is not right. */
export function openChain(args: readonly string[]): Promise<() => Promise<Figures>> {
  const [name = "", count = ""] = args;
  const { open, operators } = chainVariants[name as ChainVariant];
  const run = open(Number(count));
  const expected = expectedOf(Number(count), operators === none).text;
  return Promise.resolve(async () => {
    const seen = new Seen();
    const took = await run(operators(seen), seen.see);
    if (seen.text !== expected) {
      throw new Error(`${seen.text} instead of ${expected}`);
    }
    return { ...took };
  });
}

function expectedOf(count: number, isUnchanged: boolean): Seen {
  const seen = new Seen();
  for (let n = 0; n < count; n += 1) {
    if (isUnchanged) {
      seen.see(n);
    } else if (isNotFirst(plusOne(n))) {
      const value = threefold(plusOne(n));
      seen.tap(value);
      if (isNotSixth(value)) {
        seen.see(value);
      }
    }
  }
  return seen;
}
