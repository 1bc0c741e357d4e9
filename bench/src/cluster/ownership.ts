import { setTimeout as sleep } from "node:timers/promises";
import type { MemberEvent } from "./member.ts";

/** An event, and on which member. */
export type LoggedEvent = MemberEvent & { readonly member: string };

const LOOK_EVERY_MS = 5;

/** Who runs which task, as the members' events tell it, and the log of these. */
export class Ownership {
  readonly log: LoggedEvent[] = [];
  private readonly partitions: number;
  private readonly owners = new Map<number, string>();

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  hear(member: string, event: MemberEvent): void {
    this.log.push({ ...event, member });
    if (event._tag === "Assigned") {
      this.owners.set(event.partition, member);
    } else if (event._tag === "Revoked" && this.owners.get(event.partition) === member) {
      this.owners.delete(event.partition);
    }
  }

  /** A member was killed: it says nothing any more. */
  forget(member: string): void {
    for (const [partition, owner] of this.owners) {
      if (owner === member) {
        this.owners.delete(partition);
      }
    }
  }

  /** Resolves when all tasks run on these members, balanced. Rejects when it takes longer than `withinMs`. */
  async settled(members: readonly string[], withinMs: number): Promise<void> {
    const untilMs = performance.now() + withinMs;
    while (!this.isSettled(members)) {
      if (performance.now() > untilMs) {
        const troubles = this.log.flatMap((event) =>
          event._tag === "Trouble" ? [`${event.member}: ${event.what}`] : [],
        );
        throw new Error(
          `not settled within ${withinMs} ms: ${this.owners.size} of ${this.partitions} tasks run, ${this.countsOf(members).join(" + ")} on ${members.join(", ")}${troubles.map((trouble) => `\n  ${trouble}`).join("")}`,
        );
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  private isSettled(members: readonly string[]): boolean {
    const counts = this.countsOf(members);
    const all = counts.reduce((sum, count) => sum + count, 0);
    return all === this.partitions && Math.max(...counts) - Math.min(...counts) <= 1;
  }

  private countsOf(members: readonly string[]): readonly number[] {
    const owners = [...this.owners.values()];
    return members.map((member) => owners.filter((owner) => owner === member).length);
  }
}
