/** Numbers that follow each other without a gap, and a text that goes with the last of them. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** What has changed in a {@link NumberRanges}: ranges that begin at these numbers are gone, and this one is new or has grown. */
interface RangeChange {
  readonly removed: readonly number[];
  readonly range: NumberRange;
}

/**
 * Which of the numbers 1, 2, 3, … are done, as ranges: few, however many numbers there are, when they are done about in order.
 * With each number goes a text, of which only that of the last number of a range is kept.
 */
export class NumberRanges {
  /** Ascending; none touches the next. */
  private readonly ranges: NumberRange[] = [];
  private count = 0;

  constructor(ranges: Iterable<NumberRange>) {
    for (const range of [...ranges].toSorted((a, b) => a.from - b.from)) {
      this.ranges.push(range);
      this.count += range.to - range.from + 1;
    }
  }

  /** How many numbers are done. */
  get size(): number {
    return this.count;
  }

  /** The range that begins with 1, behind which is the first number that is not done; `null` where that is 1. */
  get first(): NumberRange | null {
    const [first] = this.ranges;
    return first?.from === 1 ? first : null;
  }

  has(number: number): boolean {
    const range = this.ranges[this.indexBehind(number) - 1];
    return range !== undefined && number <= range.to;
  }

  /** `null`: it was there. */
  add(number: number, text: string): RangeChange | null {
    if (this.has(number)) {
      return null;
    }
    this.count += 1;
    const at = this.indexBehind(number);
    const before = this.ranges[at - 1];
    const behind = this.ranges[at];
    const joinsBefore = before !== undefined && before.to === number - 1;
    const joinsBehind = behind !== undefined && behind.from === number + 1;
    const range = {
      from: joinsBefore ? before.from : number,
      to: joinsBehind ? behind.to : number,
      text: joinsBehind ? behind.text : text,
    };
    this.ranges.splice(joinsBefore ? at - 1 : at, Number(joinsBefore) + Number(joinsBehind), range);
    return { removed: joinsBehind ? [behind.from] : [], range };
  }

  /** The index of the first range that begins behind the number. */
  private indexBehind(number: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ranges[middle]?.from ?? 0) <= number) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
