import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LetterBook } from "../../src/runtime/letter-book.ts";
import type { LetterRef } from "../../src/topology/record.ts";

/** What happens to the letters of an operator: one is written, for a key that is parked or for itself, or an open one is done. */
type Step = { readonly write: string | null } | { readonly finish: number };

const key = fc.constantFrom("a", "b", "", "parked:", "done:1", "wörter 🚂");
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(fc.record({ write: fc.oneof(key, fc.constant(null)) }), fc.record({ finish: fc.nat({ max: 30 }) })),
  { maxLength: 50 },
);

const atOf = (number: number): string => `${number}-0/0`;

function refOf(number: number, isParked: boolean): LetterRef {
  return { id: `map/0/${number}`, node: "map", number, isParked, at: atOf(number) };
}

/** A store as a commit changes it. */
function apply(store: Map<string, string>, { puts, deletes }: ReturnType<LetterBook["changes"]>): void {
  for (const [name, value] of puts) {
    store.set(name, value);
  }
  for (const name of deletes) {
    store.delete(name);
  }
}

/** The letters as a plain list: the key each is parked for, and whether it is open. */
interface Model {
  readonly letters: { readonly parkedKey: string | null; isOpen: boolean }[];
}

function expectSame(book: LetterBook, { letters }: Model): void {
  const open = letters.flatMap(({ isOpen }, index) => (isOpen ? [index + 1] : []));
  expect(book.written).toBe(letters.length);
  expect(book.done).toBe(letters.length - open.length);
  expect([...letters.keys()].map((index) => book.isOpen(index + 1))).toEqual(letters.map(({ isOpen }) => isOpen));
  expect(book.isOpen(letters.length + 1)).toBe(false);
  const parked = new Map<string, number>();
  for (const { parkedKey, isOpen } of letters) {
    if (parkedKey !== null && isOpen) {
      parked.set(parkedKey, (parked.get(parkedKey) ?? 0) + 1);
    }
  }
  expect(new Map(book.parked)).toEqual(parked);
  // All letters up to there are done with, and the next one is not.
  const firstOpen = open[0] ?? letters.length + 1;
  expect(book.doneThrough).toBe(firstOpen === 1 ? "" : atOf(firstOpen - 1));
}

/** Carries a step out, in the book and in the model. */
function take(book: LetterBook, model: Model, step: Step): void {
  if ("write" in step) {
    const number = book.add(step.write);
    model.letters.push({ parkedKey: step.write, isOpen: true });
    if (number !== model.letters.length) {
      throw new Error(`letter ${model.letters.length} has number ${number}`);
    }
    return;
  }
  const open = model.letters.flatMap(({ isOpen }, index) => (isOpen ? [index] : []));
  const index = open[step.finish % Math.max(1, open.length)];
  const letter = index === undefined ? undefined : model.letters[index];
  if (index !== undefined && letter !== undefined) {
    letter.isOpen = false;
    book.finish(refOf(index + 1, letter.parkedKey !== null), letter.parkedKey ?? "a key that is not parked");
  }
}

describe("the book of an operator's letters", () => {
  it("knows which letters are open, and of which parked keys; and so does one made of what was committed, at any moment", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const book = new LetterBook([]);
        const model: Model = { letters: [] };
        const store = new Map<string, string>();
        for (const step of all) {
          take(book, model, step);
          expectSame(book, model);
          apply(store, book.changes());
          expectSame(new LetterBook(store), model);
        }
      }),
    );
  });

  it("goes on from what was committed as if it had never stopped", () => {
    fc.assert(
      fc.property(steps, steps, (before, behind) => {
        const model: Model = { letters: [] };
        const store = new Map<string, string>();
        const first = new LetterBook([]);
        for (const step of before) {
          take(first, model, step);
        }
        apply(store, first.changes());
        const second = new LetterBook(store);
        for (const step of behind) {
          take(second, model, step);
        }
        apply(store, second.changes());
        expectSame(new LetterBook(store), model);
      }),
    );
  });

  it("takes its entries in any order", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 1_000 }), (all, seed) => {
        const book = new LetterBook([]);
        const model: Model = { letters: [] };
        const store = new Map<string, string>();
        for (const step of all) {
          take(book, model, step);
        }
        apply(store, book.changes());
        const shuffled = [...store].toSorted(([a], [b]) => ((a.length * seed) % 11) - ((b.length * seed) % 11));
        expectSame(new LetterBook(shuffled), model);
      }),
    );
  });

  it("stays small: what is done in order leaves two entries, however much it is", () => {
    const book = new LetterBook([]);
    const store = new Map<string, string>();
    for (let number = 1; number <= 500; number += 1) {
      book.add("key");
      book.finish(refOf(number, true), "key");
    }
    apply(store, book.changes());
    expect([...store]).toEqual([
      ["written", "500"],
      ["done:1", `500 ${atOf(500)}`],
    ]);
  });

  it("stays small, too, when all of it is done in another order", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 7 }), (numbers) => {
        const book = new LetterBook([]);
        const store = new Map<string, string>();
        for (const _ of numbers) {
          book.add(null);
        }
        for (const number of numbers) {
          book.finish(refOf(number, false), "key");
          apply(store, book.changes());
        }
        expect(Object.fromEntries(store)).toEqual({ written: "7", "done:1": `7 ${atOf(7)}` });
      }),
    );
  });

  it("hands a change over once", () => {
    const book = new LetterBook([]);
    book.add("key");
    expect(book.changes().puts).toHaveLength(2);
    expect(book.changes()).toEqual({ puts: [], deletes: [] });
  });

  it("knows of no letter beyond those that were written, also done ones", () => {
    const book = new LetterBook([["written", "3"]]);
    expect([0, 1, 3, 4, 99].map((number) => book.isOpen(number))).toEqual([false, true, true, false, false]);
  });
});
