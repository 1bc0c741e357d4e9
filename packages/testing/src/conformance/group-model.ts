/**
 * The docstrings of `Group` as a program, for histories in which no time passes: what the store holds, and what each call
 * must come to.
 */

/** What a member that may not do what it wants is told. */
type Refusal = "NotMember" | "Fenced";

/** A stay of a member, as a call names it. */
export interface ModelStay {
  readonly member: string;
  readonly instance: string;
}

interface ModelHolding extends ModelStay {
  readonly generation: number;
  readonly isReleased: boolean;
  /** Another member has wished for it. */
  readonly isWanted: boolean;
}

/** A group. */
export class GroupModel {
  /** Who is a member, and whether it is about to leave. */
  readonly members = new Map<string, { readonly instance: string; readonly isLeaving: boolean }>();
  readonly holdings = new Map<string, ModelHolding>();
  /** Who held a task before its holder. */
  readonly past = new Map<string, string>();
  readonly completed = new Set<string>();
  target: Readonly<Record<string, readonly string[]>> = {};
  generation = 0;
  /** Counts the changes of the members; the epoch must rise with each of them. */
  changes = 0;
  /** Whether the target was stored for the members of now. */
  isSettled = false;
  readonly #hasNoTime: (member: string) => boolean;

  /** `hasNoTime` says which members give a task up as soon as it is wished for; the others do when they want to. */
  constructor(hasNoTime: (member: string) => boolean) {
    this.#hasNoTime = hasNoTime;
  }

  join(stay: ModelStay, previous: string | null): "joined" | "Fenced" {
    const listed = this.members.get(stay.member);
    if (listed?.instance === stay.instance) {
      return "joined";
    }
    if (listed !== undefined && previous !== null && previous !== listed.instance) {
      return "Fenced";
    }
    if ([...this.members.keys()].every((name) => name === stay.member)) {
      this.completed.clear();
    }
    this.members.set(stay.member, { instance: stay.instance, isLeaving: false });
    this.#change();
    return "joined";
  }

  heartbeat(stay: ModelStay, isLeaving: boolean): "renewed" | Refusal {
    const refusal = this.refusal(stay);
    if (refusal !== null) {
      return refusal;
    }
    if (this.members.get(stay.member)?.isLeaving !== isLeaving) {
      this.members.set(stay.member, { instance: stay.instance, isLeaving });
      this.#change();
    }
    return "renewed";
  }

  leave(stay: ModelStay): void {
    if (this.refusal(stay) === null) {
      this.members.delete(stay.member);
      this.#change();
    }
  }

  /** A target that was stored, as the store has numbered it. A task that stays with its holder is wanted no more. */
  stored(target: Readonly<Record<string, readonly string[]>>, generation: number): void {
    this.target = target;
    this.generation = generation;
    this.isSettled = true;
    for (const [task, holding] of this.holdings) {
      if (target[holding.member]?.includes(task)) {
        this.holdings.set(task, { ...holding, isWanted: false });
      }
    }
  }

  /** By task: `null` where it is granted, else who holds it. */
  take(stay: ModelStay, tasks: readonly string[]): ReadonlyMap<string, string | null> {
    const answer = new Map<string, string | null>();
    for (const task of tasks) {
      const holding = this.holdings.get(task);
      if (holding !== undefined && !this.#isFree(holding, stay)) {
        this.holdings.set(task, { ...holding, isWanted: true });
        answer.set(task, holding.member);
        continue;
      }
      if (holding !== undefined && this.#isTheirs(holding, stay) && holding.generation === this.generation) {
        answer.set(task, null);
        continue;
      }
      if (holding !== undefined && holding.member !== stay.member) {
        this.past.set(task, holding.member);
      }
      this.holdings.set(task, { ...stay, generation: this.generation, isReleased: false, isWanted: false });
      this.completed.delete(task);
      answer.set(task, null);
    }
    return answer;
  }

  give(stay: ModelStay, released: readonly string[], completed: readonly string[]): void {
    for (const task of released) {
      const holding = this.holdings.get(task);
      if (holding !== undefined && this.#isTheirs(holding, stay)) {
        this.holdings.set(task, { ...holding, isReleased: true });
        this.completed.delete(task);
      }
    }
    for (const task of completed) {
      const holding = this.holdings.get(task);
      if (holding !== undefined && this.#isTheirs(holding, stay)) {
        this.completed.add(task);
      }
    }
  }

  /** Why `stay` may not call as a member. */
  refusal({ member, instance }: ModelStay): Refusal | null {
    const listed = this.members.get(member);
    if (listed === undefined) {
      return "NotMember";
    }
    return listed.instance === instance ? null : "Fenced";
  }

  /** The tasks that a member of now holds. */
  held(): readonly (readonly [task: string, holding: ModelHolding])[] {
    return [...this.holdings].filter(([, holding]) => !holding.isReleased && this.refusal(holding) === null);
  }

  /** By task, who held it last of those that do not hold it any more. */
  pastOwners(): ReadonlyMap<string, string> {
    const held = new Set(this.held().map(([task]) => task));
    const free = [...this.holdings].filter(([task]) => !held.has(task));
    return new Map([...this.past, ...free.map(([task, { member }]) => [task, member] as const)]);
  }

  #isFree(holding: ModelHolding, stay: ModelStay): boolean {
    const isGone = holding.isReleased || this.refusal(holding) !== null;
    return isGone || holding.member === stay.member || (holding.isWanted && this.#hasNoTime(holding.member));
  }

  #isTheirs(holding: ModelHolding, { member, instance }: ModelStay): boolean {
    return !holding.isReleased && holding.member === member && holding.instance === instance;
  }

  #change(): void {
    this.changes += 1;
    this.isSettled = false;
  }
}
