/**
 * Carries out what a task is asked through its control topic: redrive and discard dead letters, resume after a quarantine.
 * One thing after the other, each exactly once: how far it is lies in the task's own store.
 */
import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import type { Offset } from "../kernel/offset.ts";
import type { ReadBatch, ReadError, StoredRecord } from "../ports/log.ts";
import { type Answer, type Command, decodeCommand } from "../topology/command.ts";
import { CONTROL_STORE, lettersStoreOf } from "../topology/failure-target.ts";
import { scope } from "../topology/stage.ts";
import { failureTargetsOf } from "../topology/sub-topology.ts";
import type { LetterEntry } from "./build-stages.ts";
import { ControlStore } from "./control-store.ts";
import { LetterBook } from "./letter-book.ts";
import { loadStores, type StoreContents } from "./load-stores.ts";
import { Redrive, type RedriveHost } from "./redrive.ts";
import { type RetryOptions, retrying } from "./retrying.ts";
import { type TaskOptions, taskName } from "./task-options.ts";

const BUDGET = { maxRecords: 16, maxBytes: 1_048_576 };

const NOTHING: Answer = { done: 0, remaining: 0, waiting: 0, resumed: false };

/** What control needs of its task. */
export interface ControlHost extends Omit<RedriveHost, "avoid"> {
  /** Records that are read wait from now on. Resolves when all that was begun is committed; `false`: the task is over. */
  hold(): Promise<boolean>;
  /** Ends a {@link hold}. */
  release(): void;
  /** Letters that have stopped the task; emptied when a command is done. */
  readonly avoid: Set<string>;
  /** The quarantine is over. */
  resumed(): void;
}

export class TaskControl {
  private readonly options: TaskOptions;
  private readonly entries: ReadonlyMap<string, LetterEntry>;
  private readonly host: ControlHost;
  private readonly store: ControlStore;

  constructor(
    task: {
      readonly options: TaskOptions;
      readonly entries: ReadonlyMap<string, LetterEntry>;
      readonly stores: StoreContents;
    },
    host: ControlHost,
  ) {
    this.options = task.options;
    this.entries = task.entries;
    this.store = new ControlStore(task.stores.get(CONTROL_STORE) ?? []);
    this.host = host;
  }

  /** Why the task must not go on; `null`: it may. */
  get quarantine(): string | null {
    return this.store.quarantine?.message ?? null;
  }

  /** Has a commit say which operators may write letters, where the store does not know them yet. */
  noteNodes(pushAside: (push: () => void) => void): void {
    const known = new Set(this.store.nodes);
    const names = [...this.entries.values()].flatMap(({ target }) =>
      target.letters === null || known.has(target.name) ? [] : target.name,
    );
    if (names.length > 0) {
      pushAside(() => {
        scope.unit.touch(this.store);
        this.store.addNodes(names);
      });
    }
  }

  /** To be called in a unit: the commit says that the task must not go on. */
  setQuarantine(message: string): void {
    scope.unit.touch(this.store);
    this.store.setQuarantine({ message, sinceMs: this.options.clock.now() });
  }

  /** Reads what is asked until the task is over. Rejects with the `MillraceError` that ends it. */
  async run(): Promise<void> {
    const { ports, ref, subTopology, topics } = this.options;
    const info = topics.get(subTopology.control?.name ?? "");
    if (info === undefined) {
      return;
    }
    const { signal } = this.host.retry;
    const reader = ports.log.reader(info, ref.partition, this.store.handled);
    const close = (): void => reader.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      while (!signal.aborted) {
        const batch = await retrying<ReadError, ReadBatch>(() => reader.next(BUDGET), this.host.retry);
        if (signal.aborted) {
          return;
        }
        if (E.isLeft(batch)) {
          throw new MillraceError(batch.left);
        }
        if (!(await this.handleAll(batch.right.records))) {
          return;
        }
      }
    } finally {
      signal.removeEventListener("abort", close);
      reader.close();
    }
  }

  private async handleAll(records: readonly StoredRecord[]): Promise<boolean> {
    for (const { payload, offset } of records) {
      if (!(await this.handle(decodeCommand(payload), offset))) {
        return false;
      }
    }
    return true;
  }

  /** `false`: the task is over, and another one will carry it out. */
  private async handle(command: Command | null, at: Offset): Promise<boolean> {
    const isHeld = await this.host.hold();
    try {
      return isHeld && (await this.carryOut(command, at));
    } finally {
      this.host.release();
    }
  }

  private carryOut(command: Command | null, at: Offset): Promise<boolean> {
    if (command === null) {
      // Nobody waits for an answer to what is no command.
      return this.finish(at, null, null);
    }
    return command.action === "resume" ? this.resume(command, at) : this.redrive(command, at);
  }

  private async resume({ id }: Command, at: Offset): Promise<boolean> {
    const wasQuarantined = this.quarantine !== null;
    const isOn = await this.host.commit([
      () => {
        scope.unit.touch(this.store);
        this.store.setQuarantine(null);
        this.store.finish(at, id, { ...NOTHING, resumed: wasQuarantined });
      },
    ]);
    if (isOn && wasQuarantined) {
      this.options.emit({ _tag: "Resumed", task: taskName(this.options.ref) });
      this.host.resumed();
    }
    return isOn;
  }

  private async redrive(command: Exclude<Command, { action: "resume" }>, at: Offset): Promise<boolean> {
    const underWay = await this.begin(command.id);
    if (underWay === null) {
      return false;
    }
    const { options, entries, host } = this;
    const result = await new Redrive(command, { options, entries, written: underWay.written }, host).run();
    if (result === null) {
      return false;
    }
    const answer: Answer = { ...NOTHING, ...result, done: this.doneLetters() - underWay.done };
    if (!(await this.finish(at, command.id, answer))) {
      return false;
    }
    host.avoid.clear();
    const { done, remaining, waiting } = answer;
    options.emit({ _tag: "Redriven", task: taskName(options.ref), action: command.action, done, remaining, waiting });
    return true;
  }

  /** Notes where the command begins, once: letters that it causes are not meant by it. */
  private async begin(command: string): Promise<ControlStore["underWay"]> {
    if (this.store.underWay?.command === command) {
      return this.store.underWay;
    }
    const written = Object.fromEntries([...this.entries].map(([name, { failures }]) => [name, failures.book.written]));
    const done = this.doneLetters();
    const isOn = await this.host.commit([
      () => {
        scope.unit.touch(this.store);
        this.store.begin({ command, written, done });
      },
    ]);
    return isOn ? this.store.underWay : null;
  }

  private finish(at: Offset, command: string | null, answer: Answer | null): Promise<boolean> {
    return this.host.commit([
      () => {
        scope.unit.touch(this.store);
        this.store.finish(at, command, answer);
      },
    ]);
  }

  private doneLetters(): number {
    return [...this.entries.values()].reduce((sum, { failures }) => sum + failures.book.done, 0);
  }
}

/**
 * Rejects with `StateMismatch` where keys are parked at an operator that the pipeline no longer has: their next records would
 * overtake them.
 */
export async function refuseOrphans(options: TaskOptions, stores: StoreContents, retry: RetryOptions): Promise<void> {
  const { ports, ref, subTopology } = options;
  const present = new Set(failureTargetsOf(subTopology).flatMap(({ name, letters }) => (letters === null ? [] : name)));
  const gone = new ControlStore(stores.get(CONTROL_STORE) ?? []).nodes.filter((name) => !present.has(name));
  const contents = await loadStores(ports.state, { ref, stores: gone.map(lettersStoreOf) }, retry);
  for (const name of gone) {
    const { parked } = new LetterBook(contents.get(lettersStoreOf(name)) ?? []);
    if (parked.size > 0) {
      throw new MillraceError(
        "StateMismatch",
        `${parked.size} ${parked.size === 1 ? "key is" : "keys are"} parked at "${name}", which is no operator with dead letters of this pipeline any more: run the version that has it until they are redriven or discarded, or give an operator that name`,
      );
    }
  }
}
