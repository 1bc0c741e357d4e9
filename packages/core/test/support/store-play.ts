import { compareUtf8 } from "../../src/kernel/utf8-order.ts";
import type { DueKey } from "../../src/operators/due-heap.ts";
import { TaskStore } from "../../src/operators/task-store.ts";
import { type DirtyStore, NO_UNIT, type Unit } from "../../src/topology/stage.ts";
import { type FakeEntry, type FakeStore, microtasks } from "./fake-store.ts";
import { inUnit } from "./task-stage.ts";

/** A state that says itself when it is due. */
export interface Timed {
  readonly v: number;
  readonly dueMs: number | null;
}

/** How these tests store a state. */
export const TIMED = {
  encode: (state: Timed): string => JSON.stringify(state),
  decode: (text: string): Timed => JSON.parse(text) as Timed,
  timeMs: (_key: string, { dueMs }: Timed): number | null => dueMs,
  delayMs: 0,
  isAlwaysDue: false,
};

export type Step =
  /** A value that needs entries, and puts a state or deletes (`null`). */
  | { readonly kind: "value"; readonly keys: readonly string[]; readonly to: Timed | null }
  /** Event time comes to `untilMs`; what is due is put with a due time so much later, or deleted (`null`). */
  | { readonly kind: "time"; readonly untilMs: number; readonly most: number; readonly laterMs: number | null }
  | { readonly kind: "endUnit" }
  | { readonly kind: "tidy" };

/** One due entry. */
interface Due extends DueKey {
  readonly state: Timed;
}

/** Plays steps on a task's store as `StateLine` does, beside a model, while reads and commits come when they come. */
export class StorePlay {
  readonly store: TaskStore<Timed>;
  readonly model: Map<string, Timed>;
  private readonly fake: FakeStore;
  private readonly random: () => number;
  private readonly dirty = new Set<DirtyStore>();
  private readonly unit: Unit;

  constructor(fake: FakeStore, random: () => number) {
    this.fake = fake;
    this.random = random;
    this.store = new TaskStore(TIMED, fake);
    this.model = new Map([...fake.content].map(([key, { value }]) => [key, TIMED.decode(value)]));
    this.unit = { ...NO_UNIT, touch: (store) => this.dirty.add(store) };
  }

  /** Throws when something is not as the model says. */
  async play(step: Step): Promise<void> {
    await this.something();
    switch (step.kind) {
      case "value":
        await this.value(step);
        break;
      case "time":
        await this.time(step);
        break;
      case "endUnit":
        this.endUnit();
        break;
      case "tidy":
        this.store.tidy();
    }
    this.checkNextDue();
  }

  /** Commits everything. */
  settle(): void {
    this.endUnit();
    this.fake.acknowledgeAll();
    this.store.tidy();
  }

  private endUnit(): void {
    for (const store of this.dirty) {
      this.fake.send(store.collect());
    }
    this.dirty.clear();
  }

  private async value({ keys, to }: Extract<Step, { kind: "value" }>): Promise<void> {
    while (!keys.every((key) => this.store.isKnown(key))) {
      const missing = keys.filter((key) => !this.store.isKnown(key));
      await this.underWay(this.store.fetch(missing));
    }
    for (const key of keys) {
      same(`the state of ${key}`, this.store.get(key), this.model.get(key) ?? null);
      this.put(key, to);
    }
  }

  private async time({ untilMs, most, laterMs }: Extract<Step, { kind: "time" }>): Promise<void> {
    let rounds = 0;
    while (this.store.isDue(untilMs)) {
      rounds += 1;
      notForEver(rounds, 2 * this.model.size + 20);
      const due = this.store.due(untilMs, most);
      if (due === null) {
        await this.underWay(this.store.fetchDue(untilMs, most));
      } else {
        const found = due.map((one) => ({ ...one, state: this.stateOf(one.key) }));
        this.checkDue(found, untilMs, most);
        this.putDue(found, laterMs === null ? null : untilMs + laterMs);
      }
      this.checkNextDue();
    }
    same("what is due and was not found", this.modelDue(untilMs), []);
  }

  private stateOf(key: string): Timed {
    const state = this.store.get(key);
    if (state === null) {
      throw new Error(`${key} is due, and is not there`);
    }
    return state;
  }

  private putDue(due: readonly Due[], dueMs: number | null): void {
    for (const {
      key,
      state: { v },
    } of due) {
      this.put(key, dueMs === null ? null : { v: v + 1, dueMs });
    }
  }

  private checkDue(found: readonly Due[], untilMs: number, most: number): void {
    const all = this.modelDue(untilMs);
    same("what is due", found, all.slice(0, Math.min(most, found.length)));
    if (found.length < Math.min(most, all.length) && !this.store.isDue(untilMs)) {
      throw new Error("more is due than was found");
    }
  }

  private modelDue(untilMs: number): readonly Due[] {
    return [...this.model]
      .flatMap(([key, state]) =>
        state.dueMs !== null && state.dueMs <= untilMs ? [{ key, dueMs: state.dueMs, state }] : [],
      )
      .toSorted((a, b) => a.dueMs - b.dueMs || compareUtf8(a.key, b.key));
  }

  private checkNextDue(): void {
    const least = Math.min(...[...this.model.values()].map(({ dueMs }) => dueMs ?? Number.POSITIVE_INFINITY));
    if (this.store.nextDueMs > least) {
      throw new Error(`the next due time is ${this.store.nextDueMs}, and an entry is due at ${least}`);
    }
  }

  private put(key: string, state: Timed | null): void {
    inUnit(this.unit, () => this.store.put(key, state));
    if (state === null) {
      this.model.delete(key);
    } else {
      this.model.set(key, state);
    }
  }

  /** A read, with what happens meanwhile. */
  private async underWay(read: Promise<void>): Promise<void> {
    if (this.random() < 0.5) {
      this.fake.answer(0);
    }
    const state = { isOver: false };
    const over = read.finally(() => {
      state.isOver = true;
    });
    while (!state.isOver) {
      await this.something();
      await microtasks(Math.floor(this.random() * 8));
      if (this.random() < 0.5) {
        await this.deliver();
      }
    }
    await over;
  }

  /** A read comes back, often with the answers of commits right behind it, before anybody has looked at what was read. */
  private async deliver(): Promise<void> {
    this.fake.deliver();
    if (this.random() < 0.7) {
      await microtasks(Math.floor(this.random() * 4));
      this.fake.acknowledgeAll();
    }
  }

  private async something(): Promise<void> {
    const { fake, random } = this;
    for (let n = Math.floor(random() * 3); n > 0; n--) {
      const choice = random();
      if (choice < 0.3) {
        fake.apply();
      } else if (choice < 0.6) {
        fake.acknowledge();
      } else if (fake.readsUnderWay > 0) {
        fake.answer(Math.floor(random() * 4));
      }
      await microtasks(Math.floor(random() * 3));
    }
  }
}

function notForEver(rounds: number, most: number): void {
  if (rounds > most) {
    throw new Error("what is due is read again and again");
  }
}

/** Throws when two values are not the same JSON. */
function same(what: string, found: unknown, expected: unknown): void {
  const texts = [JSON.stringify(found), JSON.stringify(expected)];
  if (texts[0] !== texts[1]) {
    throw new Error(`${what}: found ${texts[0]}, expected ${texts[1]}`);
  }
}

/** Changes entries outside of any play. */
export function putAll(store: TaskStore<Timed>, keys: readonly string[], to: Timed | null): void {
  inUnit(NO_UNIT, () => {
    for (const key of keys) {
      store.put(key, to);
    }
  });
}

/** What a store holds of a state. */
export function stored(state: Timed): FakeEntry {
  return { value: TIMED.encode(state), dueMs: state.dueMs };
}
