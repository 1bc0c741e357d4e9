import type { Pipeline } from "@millrace/core";
import type { VirtualClock } from "../virtual-clock.ts";
import { byColumn, type MarbleEvent, SIGNS } from "./diagram.ts";
import type { EffectMarbles, ReadEffect } from "./effect-marbles.ts";
import { MarbleError } from "./marble-error.ts";
import type { OwnerStep } from "./owner-plan.ts";
import { Stage, type StageOptions } from "./stage.ts";
import type { MarbleProducer, ReadMarble, TopicMarbles } from "./topic-marbles.ts";

/** What is to be played. */
export interface Script {
  readonly pipelines: readonly Pipeline[];
  readonly columns: number;
  readonly columnMs: number;
  readonly sends: readonly { readonly topic: TopicMarbles; readonly events: readonly MarbleEvent[] }[];
  readonly steps: readonly OwnerStep[];
  /** The topics that pipelines read, whose tasks are looked at. */
  readonly inputs: readonly string[];
  readonly outputs: readonly TopicMarbles[];
  readonly effects: EffectMarbles<never> | null;
  readonly stage: StageOptions;
}

/** What came of it. Events of owners and commits by task, `<topic>/<partition>`. */
export interface Played {
  readonly startMs: number;
  readonly owners: ReadonlyMap<string, readonly MarbleEvent[]>;
  /** Who had a task at the end of each column; `null`: nobody who lives. No entry where no worker was ever there. */
  readonly ownerAt: ReadonlyMap<string, readonly (string | null | undefined)[]>;
  readonly commits: ReadonlyMap<string, readonly { readonly column: number; readonly records: number }[]>;
  readonly outputs: ReadonlyMap<string, readonly ReadMarble[]>;
  readonly effects: readonly ReadEffect[];
}

/** Plays a script: in each column workers crash, start and leave first, then records are sent, then the column's time passes. */
export async function play(script: Script): Promise<Played> {
  const { clock } = script.stage;
  if (clock === undefined) {
    return await playOn(script);
  }
  if (running.has(clock)) {
    const message = "a clock is for one run at a time: each would move the other's time on. Give each its own";
    throw new MarbleError("InvalidMarbles", `runMarbles: ${message}`);
  }
  running.add(clock);
  try {
    return await playOn(script);
  } finally {
    running.delete(clock);
  }
}

/** Clocks on which diagrams run. */
const running = new WeakSet<VirtualClock>();

async function playOn(script: Script): Promise<Played> {
  const stage = await Stage.open(script.pipelines, script.stage);
  try {
    script.effects?.begin(() => stage.clock.now());
    try {
      return await new Play(script, stage).run();
    } finally {
      script.effects?.end();
    }
  } finally {
    await stage.close();
  }
}

class Play {
  private readonly script: Script;
  private readonly stage: Stage;
  private readonly producers = new Map<string, MarbleProducer>();
  private readonly owners = new Map<string, MarbleEvent[]>();
  private readonly ownerAt = new Map<string, (string | null | undefined)[]>();
  private readonly commits = new Map<string, { column: number; records: number }[]>();
  private failure: unknown = null;

  constructor(script: Script, stage: Stage) {
    this.script = script;
    this.stage = stage;
  }

  async run(): Promise<Played> {
    const { script, stage } = this;
    this.change(0);
    await stage.prepare();
    for (const { topic } of script.sends) {
      this.producers.set(topic.name, await topic.open(stage.app));
    }
    const startMs = stage.clock.now();
    for (let column = 0; column < script.columns; column++) {
      await this.playColumn(column);
    }
    const outputs = new Map<string, readonly ReadMarble[]>();
    for (const topic of script.outputs) {
      const marbles = await stage.until(`topic "${topic.name}" to be read`, topic.read(stage.app));
      outputs.set(
        topic.name,
        marbles.toSorted((a, b) => a.atMs - b.atMs || a.partition - b.partition),
      );
    }
    const effects = script.effects?.end() ?? [];
    return { startMs, owners: this.owners, ownerAt: this.ownerAt, commits: this.commits, outputs, effects };
  }

  private async playColumn(column: number): Promise<void> {
    const { stage, script } = this;
    if (column > 0) {
      this.change(column);
    }
    for (const { topic, events } of script.sends) {
      for (const symbol of byColumn(events).get(column) ?? []) {
        this.send(topic, symbol);
      }
    }
    // What is due at the very end is the next column's.
    await stage.pass(script.columnMs - 1);
    await this.look(column);
    await stage.pass(1);
    if (this.failure !== null) {
      throw this.failure;
    }
  }

  private send(topic: TopicMarbles, symbol: string): void {
    const producer = this.producers.get(topic.name);
    const sent = symbol === "|" ? producer?.end() : producer?.send(symbol);
    sent?.catch((error: unknown) => {
      this.failure ??= error;
    });
  }

  private change(column: number): void {
    const step = this.script.steps.find((each) => each.column === column);
    for (const worker of step?.crash ?? []) {
      this.drawCrash(worker, column);
      this.stage.crash(worker);
    }
    for (const worker of step?.start ?? []) {
      this.stage.start(worker);
    }
    for (const worker of step?.remove ?? []) {
      this.stage.remove(worker);
    }
  }

  private drawCrash(worker: string, column: number): void {
    for (const [task, drawn] of this.owners) {
      if (drawn.at(-1)?.symbol === worker) {
        this.owners.set(task, [...drawn, { column, symbol: "!" }]);
      }
    }
  }

  /** Looks at the tasks at the end of a column. */
  private async look(column: number): Promise<void> {
    for (const topic of this.script.inputs) {
      for (const { partition, worker, records } of await this.stage.tasksOf(topic)) {
        const task = `${topic}/${partition}`;
        const owner = worker !== null && this.stage.isAlive(worker) ? worker : null;
        entryOf(this.ownerAt, task)[column] = owner;
        drawOwner(entryOf(this.owners, task), owner, column);
        const commits = entryOf(this.commits, task);
        if (records !== (commits.at(-1)?.records ?? 0)) {
          commits.push({ column, records });
        }
      }
    }
  }
}

/** Draws who has a task where that has changed. A crash is drawn when it happens. */
function drawOwner(drawn: MarbleEvent[], owner: string | null, column: number): void {
  const last = drawn.at(-1)?.symbol ?? "|";
  if (owner !== null && owner !== last) {
    drawn.push({ column, symbol: owner });
  }
  if (owner === null && !"!|".includes(last)) {
    drawn.push({ column, symbol: "|" });
  }
}

function entryOf<E>(map: Map<string, E[]>, name: string): E[] {
  const known = map.get(name) ?? [];
  map.set(name, known);
  return known;
}

/** How a number of records is drawn: 0 to 9, then a (10) to z (35), then A (36) to Z (61). Throws `MarbleError` for more. */
export function signOf(records: number): string {
  const sign = SIGNS[records];
  if (sign === undefined) {
    const message = `${records} records are committed, and one sign stands for ${SIGNS.length - 1} at most (Z): draw no commits, or fewer records`;
    throw new MarbleError("InvalidMarbles", message);
  }
  return sign;
}
