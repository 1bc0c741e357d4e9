import { type NumberRange, NumberRanges } from "../kernel/number-ranges.ts";
import type { LetterRef } from "../topology/record.ts";
import { Changes } from "./changes.ts";

/** Keys of the store. Those of ranges of letters, by their first number, and of parked keys come behind a colon. */
const WRITTEN = "written";
const DONE = "done:";
const PARKED = "parked:";

/**
 * What is remembered of one operator's dead letters in one task: how many were written, which are done with (redriven or
 * discarded), and how many of each parked key are open.
 */
export class LetterBook {
  private count = 0;
  private readonly doneNumbers: NumberRanges;
  private readonly openOfKey = new Map<string, number>();
  private readonly changed = new Changes();

  constructor(entries: Iterable<readonly [key: string, value: string]>) {
    const done: NumberRange[] = [];
    for (const [key, value] of entries) {
      if (key === WRITTEN) {
        this.count = Number(value);
      } else if (key.startsWith(DONE)) {
        const [to = "0", text = ""] = value.split(" ");
        done.push({ from: Number(key.slice(DONE.length)), to: Number(to), text });
      } else if (key.startsWith(PARKED)) {
        this.openOfKey.set(key.slice(PARKED.length), Number(value));
      }
    }
    this.doneNumbers = new NumberRanges(done);
  }

  /** How many letters were written; the last one has this number. */
  get written(): number {
    return this.count;
  }

  /** How many letters are done with. */
  get done(): number {
    return this.doneNumbers.size;
  }

  /** Whether there is a letter that is not done with. */
  get hasOpen(): boolean {
    return this.count > this.doneNumbers.size;
  }

  /** All letters up to this position in their topic are done with; `""`: there is none such. */
  get doneThrough(): string {
    return this.doneNumbers.first?.text ?? "";
  }

  /** The parked keys, with the number of their open letters. */
  get parked(): ReadonlyMap<string, number> {
    return this.openOfKey;
  }

  isOpen(number: number): boolean {
    return number >= 1 && number <= this.count && !this.doneNumbers.has(number);
  }

  /** The number of a letter that is written now; `parkedKey`: it belongs to this parked key. */
  add(parkedKey: string | null): number {
    this.count += 1;
    this.changed.set(WRITTEN, String(this.count));
    if (parkedKey !== null) {
      this.setOpen(parkedKey, (this.openOfKey.get(parkedKey) ?? 0) + 1);
    }
    return this.count;
  }

  /** An open letter is done with. The last one of a parked key sets the key free. */
  finish({ number, at, isParked }: LetterRef, key: string): void {
    const change = this.doneNumbers.add(number, at);
    if (change === null) {
      return;
    }
    for (const from of change.removed) {
      this.changed.set(`${DONE}${from}`, null);
    }
    const { from, to, text } = change.range;
    this.changed.set(`${DONE}${from}`, `${to} ${text}`);
    if (isParked) {
      this.setOpen(key, (this.openOfKey.get(key) ?? 0) - 1);
    }
  }

  /** Hands over what changed since the last call. */
  changes(): { readonly puts: [string, string][]; readonly deletes: string[] } {
    return this.changed.take();
  }

  private setOpen(key: string, open: number): void {
    if (open > 0) {
      this.openOfKey.set(key, open);
      this.changed.set(`${PARKED}${key}`, String(open));
    } else {
      this.openOfKey.delete(key);
      this.changed.set(`${PARKED}${key}`, null);
    }
  }
}
