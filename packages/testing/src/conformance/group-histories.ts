import type { GroupSnapshot, GroupView, MemberRef } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GroupModel } from "./group-model.ts";
import { joinOf, LONG_MS } from "./group-scene.ts";
import { anySteps, type Entrance, QUICK, type Step, TASKS } from "./group-steps.ts";
import { ok } from "./outcome.ts";
import { fresh, type Rig, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

/** What the store shows beside what the model says. */
interface Comparison {
  readonly actual: unknown;
  readonly expected: unknown;
}

/** Members that come, go, agree and hand tasks over in any order, against a model. No time passes. */
export function describeGroupHistories(spec: PortsConformance): void {
  describe("group histories", () => {
    const rig = useRig(spec);

    it("leave every task with one holder at most, and tell all members the same", async () => {
      const property = fc.asyncProperty(anySteps, async (steps) => {
        const run = new Run(rig);
        for (const each of steps) {
          const answer = await run.carryOut(each);
          expect(answer.actual).toEqual(answer.expected);
          const state = await run.state();
          expect(state.actual).toEqual(state.expected);
        }
      });
      await fc.assert(property, { numRuns: 40 });
    });
  });
}

/** One history: the store beside the model. */
class Run {
  readonly #model = new GroupModel((name) => name === QUICK);
  readonly #rig: Rig;
  readonly #group = fresh("group");
  /** The instances of each member, the last one first. */
  readonly #stays = new Map<string, readonly string[]>();
  /** The last epoch seen, and how often the members had changed by then. */
  #epoch = 0;
  #changes = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  /** Makes a call; compares the answer. */
  async carryOut(each: Step): Promise<Comparison> {
    switch (each.kind) {
      case "join":
        return this.#join(each.member, each.as);
      case "heartbeat":
        return this.#heartbeat(this.#ref(each.member, each.stay), each);
      case "leave":
        return this.#leave(this.#ref(each.member, each.stay));
      case "propose":
        return this.#propose(each.shares, each.behind);
      case "take":
        return this.#take(this.#ref(each.member, each.stay), each.tasks, each.behind);
      case "give":
        return this.#give(this.#ref(each.member, each.stay), each.released, each.completed);
    }
  }

  /** Compares what the store holds. */
  async state(): Promise<Comparison> {
    const model = this.#model;
    const found = await this.#snapshot();
    const held = new Set(model.held().map(([task]) => task));
    const past = model.pastOwners();
    const changes = model.changes - this.#changes;
    const epochRose = found.epoch - this.#epoch;
    this.#changes = model.changes;
    this.#epoch = found.epoch;
    return {
      actual: {
        generation: found.generation,
        target: found.target,
        members: lines(found.members.map(({ member: name, isLeaving }) => [name, isLeaving])),
        owners: lines(found.owners.map((owner) => [owner.task, owner.member, owner.generation])),
        pastOwners: lines(
          found.pastOwners.filter(({ task }) => past.has(task)).map((owner) => [owner.task, owner.member]),
        ),
        // What others than holders have completed counts for nothing: an adapter may forget it or not.
        completed: lines(found.completed.filter((task) => held.has(task))),
        epochRose: Math.sign(epochRose),
      },
      expected: {
        generation: model.generation,
        target: model.target,
        members: lines([...model.members].map(([name, { isLeaving }]) => [name, isLeaving])),
        owners: lines(model.held().map(([task, holding]) => [task, holding.member, holding.generation])),
        pastOwners: lines([...past]),
        completed: lines([...model.completed].filter((task) => held.has(task))),
        epochRose: Math.sign(changes),
      },
    };
  }

  async #join(name: string, as: Entrance): Promise<Comparison> {
    const stays = this.#stays.get(name) ?? [];
    const [last = null, before = "nobody's"] = stays;
    const isAgain = as === "again" && last !== null && this.#model.members.has(name);
    const instance = isAgain ? last : fresh("instance");
    const previous = { new: null, next: last, outdated: before, again: null }[as];
    const request = joinOf(this.#group, name, { instance, previous, revocationMs: name === QUICK ? 0 : LONG_MS });
    const result = await this.#rig.ports.group.join(request)();
    const expected = this.#model.join(request, previous);
    if (result._tag === "Left" || expected !== "joined") {
      return { actual: result._tag === "Left" ? result.left._tag : "joined", expected };
    }
    this.#stays.set(name, isAgain ? stays : [instance, ...stays]);
    return this.#view(result.right, name, 0);
  }

  async #heartbeat(
    ref: MemberRef,
    { isLeaving, knows }: { readonly isLeaving: boolean; readonly knows: boolean },
  ): Promise<Comparison> {
    const generation = knows ? this.#model.generation : 0;
    // Whether a member may change its mind is not said.
    const announced = isLeaving || this.#model.members.get(ref.member)?.isLeaving === true;
    const result = await this.#rig.ports.group.heartbeat(ref, { generation, isLeaving: announced })();
    const expected = this.#model.heartbeat(ref, announced);
    return result._tag === "Left" || expected !== "renewed"
      ? { actual: result._tag === "Left" ? result.left._tag : "renewed", expected }
      : this.#view(result.right, ref.member, generation);
  }

  async #leave(ref: MemberRef): Promise<Comparison> {
    const result = await this.#rig.ports.group.leave(ref)();
    this.#model.leave(ref);
    return { actual: result._tag, expected: "Right" };
  }

  async #propose(wanted: readonly number[], behind: number): Promise<Comparison> {
    const names = [...this.#model.members.keys()];
    const target = Object.fromEntries(
      names.map((name, n) => [name, TASKS.filter((_, task) => (wanted[task] ?? 0) % names.length === n)]),
    );
    const before = await this.#snapshot();
    const ref = this.#ref(names[0] ?? "a", 0);
    const proposal = { ...ref, epoch: before.epoch - behind, generation: before.generation, target };
    const actual = await ok(this.#rig.ports.group.propose(proposal));
    const { generation } = await this.#snapshot();
    if (actual === "stored") {
      this.#model.stored(target, generation);
    }
    return {
      actual: { answer: actual, hasRisen: generation > before.generation },
      expected: behind === 0 ? { answer: "stored", hasRisen: true } : { answer: "outdated", hasRisen: false },
    };
  }

  async #take(ref: MemberRef, wanted: readonly string[], behind: number): Promise<Comparison> {
    const wish = wanted.filter((task) => this.#model.target[ref.member]?.includes(task));
    const result = await this.#rig.ports.group.take(ref, this.#model.generation - behind, wish)();
    const refusal = this.#model.refusal(ref);
    if (result._tag === "Left") {
      return { actual: result.left._tag, expected: refusal };
    }
    const actual = result.right;
    if (behind > 0) {
      // Whoever is no member may be told this as well.
      return { actual, expected: { isCurrent: false, granted: [], held: [] } };
    }
    const granted = actual.granted.map(({ task }) => [task, null]);
    const held = actual.held.map(({ task, member: name }) => [task, name]);
    return {
      actual: { isCurrent: actual.isCurrent, tasks: lines([...granted, ...held]) },
      expected: refusal ?? { isCurrent: true, tasks: lines([...this.#model.take(ref, wish)]) },
    };
  }

  async #give(ref: MemberRef, released: readonly string[], completed: readonly string[]): Promise<Comparison> {
    const request = { released: released.map((task) => ({ task, pausedMs: 0 })), completed };
    const actual = await ok(this.#rig.ports.group.give(ref, request));
    this.#model.give(ref, released, completed);
    return { actual, expected: (await this.#snapshot()).completed.length };
  }

  /** Compares what a member is told that knew the target of `known`. */
  async #view(view: GroupView, name: string, known: number): Promise<Comparison> {
    const model = this.#model;
    const { epoch, completed } = await this.#snapshot();
    const { nextExpiryMs: _, proposal, target, ...told } = view;
    return {
      actual: { ...told, target: target && lines(target), isProposalWanted: proposal !== null },
      expected: {
        epoch,
        generation: model.generation,
        target: known === model.generation ? null : lines(model.target[name] ?? []),
        members: model.members.size,
        staying: [...model.members.values()].filter(({ isLeaving }) => !isLeaving).length,
        isProposalWanted: !model.isSettled,
        completed: completed.length,
      },
    };
  }

  /** The `stay`-th last stay of a member; somebody who never joined, where there were not that many. */
  #ref(name: string, stay: number): MemberRef {
    return { group: this.#group, member: name, instance: this.#stays.get(name)?.[stay] ?? "nobody's" };
  }

  #snapshot(): Promise<GroupSnapshot> {
    return ok(this.#rig.ports.group.snapshot(this.#group));
  }
}

/** In an order that depends on nothing else. */
function lines(found: readonly unknown[]): readonly string[] {
  return found.map((each) => JSON.stringify(each)).toSorted();
}
