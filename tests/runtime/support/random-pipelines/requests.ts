/** What is asked of the workers of a random pipeline while it runs: to redrive and discard dead letters, and to resume. */
import type { App, AskResult, DeadLetter, Pipeline } from "@millrace/core";
import type { RequestKind } from "./scenario.ts";
import { hash, type Shape } from "./shape.ts";

/** Longer than any play. */
const within = "1 h";

export class Requests {
  /** Ids of letters that were asked to be discarded. */
  readonly discarded = new Set<string>();
  private readonly app: App;
  private readonly plan: Pipeline;
  private readonly nodes: readonly string[];
  private readonly mayAsk: boolean;
  private readonly answers: Promise<AskResult>[] = [];

  constructor(app: App, plan: Pipeline, shape: Shape) {
    this.app = app;
    this.plan = plan;
    const { stream, trunk, branches } = shape;
    const all = [stream, ...trunk, ...branches.flatMap(({ operators, end }) => [...operators, end])];
    this.nodes = all.map(({ node }) => node);
    this.mayAsk = all.some(({ policy }) => policy !== "fail" && policy !== "skip");
  }

  /** Asks, and waits for no answer. */
  async begin(kind: RequestKind, which: number): Promise<void> {
    const letters = this.app.deadLetters(this.plan);
    if (!this.mayAsk) {
      return;
    }
    switch (kind) {
      case "redriveAll":
        void this.note(letters.redrive({ all: true, within }));
        return;
      case "redriveKey":
        void this.note(letters.redrive({ key: `k${which % 5}`, within }));
        return;
      case "redriveNode":
        void this.note(letters.redrive({ node: this.nodes[which % this.nodes.length] ?? "", within }));
        return;
      case "redriveFirst":
        void this.note(letters.redrive({ all: true, limit: 1 + (which % 3), within }));
        return;
      case "redriveSome":
        void this.note(letters.redrive({ ids: (await this.some(which)).map(({ id }) => id), within }));
        return;
      case "discardSome":
        void this.discard(await this.some(which));
        return;
      case "resume":
        // Nobody needs the answer; where there is none yet in the end, closing the app ends the wait.
        this.resume().catch(() => {});
    }
  }

  async redriveAll(): Promise<AskResult> {
    return this.mayAsk
      ? await this.note(this.app.deadLetters(this.plan).redrive({ all: true, within }))
      : { done: 0, remaining: 0, waiting: 0 };
  }

  discard(letters: readonly DeadLetter[]): Promise<AskResult> {
    const ids = letters.map(({ id }) => id);
    for (const id of ids) {
      this.discarded.add(id);
    }
    return this.note(this.app.deadLetters(this.plan).discard({ ids, within }));
  }

  async resume(): Promise<void> {
    if (this.mayAsk) {
      await this.app.resume(this.plan, { within });
    }
  }

  async open(): Promise<readonly DeadLetter[]> {
    return await this.app.deadLetters(this.plan).list({ limit: 1_000_000 });
  }

  /** How many letters all requests together say that they have done away with. */
  async done(): Promise<number> {
    return (await Promise.all(this.answers)).reduce((sum, { done }) => sum + done, 0);
  }

  private note(answer: Promise<AskResult>): Promise<AskResult> {
    answer.catch(() => {});
    this.answers.push(answer);
    return answer;
  }

  private async some(which: number): Promise<readonly DeadLetter[]> {
    const open = await this.open();
    return open.filter(({ id }) => hash(`${which} ${id}`) % 3 === 0);
  }
}
