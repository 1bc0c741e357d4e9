/**
 * Carries out what a task is asked through its control topic: redrive and discard dead letters, resume after a quarantine.
 * One thing after the other, each exactly once: how far it is lies in the task's own store.
 */
import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import { BEFORE_FIRST, compareOffsets, type Offset } from "../kernel/offset.ts";
import type { ReadBatch, ReadError, Reader, StoredRecord } from "../ports/log.ts";
import { type Answer, type Command, decodeCommand } from "../topology/command.ts";
import { CONTROL_STORE, type FailureTarget, lettersStoreOf } from "../topology/failure-target.ts";
import { errorChain } from "../topology/letter.ts";
import { scope } from "../topology/stage.ts";
import { failureTargetsOf, type SubTopology } from "../topology/sub-topology.ts";
import type { LetterEntry } from "./build-stages.ts";
import { ControlStore, type Quarantine } from "./control-store.ts";
import { demand } from "./demand.ts";
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
  /** Letters that have stopped the task, with what they did it by; emptied when a command is done. */
  readonly avoid: Map<string, unknown>;
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
  get quarantine(): Quarantine | null {
    return this.store.quarantine;
  }

  /**
   * Has a commit say which operators may write letters, and where, as far as the store does not know it yet; and that the task
   * goes on, where it was quarantined by a version of the pipeline that could be asked to resume.
   */
  start(pushAside: (push: () => void) => void): void {
    const nodes = nodesOf(this.options.subTopology);
    if (Object.entries(nodes).some(([name, topic]) => this.store.nodes[name] !== topic)) {
      pushAside(() => {
        scope.unit.touch(this.store);
        this.store.addNodes(nodes);
      });
    }
    if (this.options.subTopology.control === null && this.quarantine !== null) {
      pushAside(() => {
        scope.unit.touch(this.store);
        this.store.setQuarantine(null);
      });
      this.options.emit({ _tag: "Resumed", task: taskName(this.options.ref) });
    }
  }

  /** To be called in a unit: the commit says that the task must not go on. */
  setQuarantine({ message, cause }: MillraceError): void {
    scope.unit.touch(this.store);
    this.store.setQuarantine({ message, errors: errorChain(cause), sinceMs: this.options.clock.now() });
  }

  /**
   * Carries out what was asked, releases the feed, and then does what is asked until the task is over. Rejects with the
   * `MillraceError` that ends it.
   */
  async run(): Promise<void> {
    const { ports, ref, subTopology, topics } = this.options;
    const info = topics.get(subTopology.control?.name ?? "");
    if (info === undefined) {
      this.host.release();
      return;
    }
    const { retry } = this.host;
    const times = await demand(() => retrying(ports.log.times(info, [ref.partition]), retry));
    const reader = ports.log.reader(info, ref.partition, this.store.handled);
    const close = (): void => reader.close();
    retry.signal.addEventListener("abort", close, { once: true });
    try {
      if (await this.catchUp(reader, times.partitions[0]?.end ?? BEFORE_FIRST)) {
        this.host.release();
        await this.follow(reader);
      }
    } finally {
      retry.signal.removeEventListener("abort", close);
      reader.close();
    }
  }

  /** What was asked before the task began; nothing is read meanwhile. `false`: the task is over. */
  private async catchUp(reader: Reader, end: Offset): Promise<boolean> {
    let position = this.store.handled;
    while (compareOffsets(position, end) < 0) {
      const batch = await this.next(reader);
      if (batch === null || !(await this.host.hold()) || !(await this.carryOutAll(batch.records))) {
        return false;
      }
      position = batch.atEnd ? end : (batch.records.at(-1)?.offset ?? position);
    }
    return true;
  }

  private async follow(reader: Reader): Promise<void> {
    for (let batch = await this.next(reader); batch !== null; batch = await this.next(reader)) {
      if (batch.records.length > 0) {
        // Held over all of them: a task whose input has ended must not be complete in between.
        const isOn = (await this.host.hold()) && (await this.carryOutAll(batch.records));
        this.host.release();
        if (!isOn) {
          return;
        }
      }
    }
  }

  /** `null`: the task is over. */
  private async next(reader: Reader): Promise<ReadBatch | null> {
    const { retry } = this.host;
    const batch = await retrying<ReadError, ReadBatch>(() => reader.next(BUDGET), retry);
    if (retry.signal.aborted) {
      return null;
    }
    if (E.isLeft(batch)) {
      throw new MillraceError(batch.left);
    }
    return batch.right;
  }

  /** `false`: the task is over, and another one will carry them out. */
  private async carryOutAll(records: readonly StoredRecord[]): Promise<boolean> {
    for (const { payload, offset } of records) {
      if (!(await this.carryOut(decodeCommand(payload), offset))) {
        return false;
      }
    }
    return true;
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
    const { written } = underWay;
    const task = { options, entries, written, done: this.doneLetters() - underWay.done };
    const result = await new Redrive(command, task, host).run();
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

/** The operators of a sub-topology that write letters, with the topic of each. */
function nodesOf(subTopology: SubTopology): Readonly<Record<string, string>> {
  return Object.fromEntries(
    failureTargetsOf(subTopology).flatMap(({ name, letters }) =>
      letters === null ? [] : [[name, letters.topic.name]],
    ),
  );
}

/**
 * Rejects with `StateMismatch` where open letters of an earlier version of the pipeline could not be redriven as was promised:
 * their topic is another one now, or keys are parked at an operator that does not park any more, so that their next records
 * would overtake them. Tells of other letters whose operator is gone.
 */
export async function refuseOrphans(options: TaskOptions, stores: StoreContents, retry: RetryOptions): Promise<void> {
  const { ports, ref, subTopology, emit } = options;
  const targets = new Map(failureTargetsOf(subTopology).map((target) => [target.name, target]));
  const known = Object.entries(new ControlStore(stores.get(CONTROL_STORE) ?? []).nodes);
  const contents = await loadStores(ports.state, { ref, stores: known.map(([name]) => lettersStoreOf(name)) }, retry);
  for (const [name, topic] of known) {
    const book = new LetterBook(contents.get(lettersStoreOf(name)) ?? []);
    const problem = orphanProblem({ name, topic }, book, targets.get(name));
    if (problem !== null) {
      throw new MillraceError("StateMismatch", problem);
    }
    if (book.hasOpen && (targets.get(name)?.letters ?? null) === null) {
      emit({ _tag: "LettersOrphaned", task: taskName(ref), node: name, open: book.written - book.done });
    }
  }
}

function orphanProblem(
  { name, topic }: { readonly name: string; readonly topic: string },
  book: LetterBook,
  target: FailureTarget | undefined,
): string | null {
  const keys = book.parked.size;
  const now = target?.letters?.topic.name ?? null;
  if (keys > 0 && (now === null || target?.policy.mayPark !== true)) {
    return `${keys} ${keys === 1 ? "key is" : "keys are"} parked at "${name}", which is no operator of this pipeline any more that can park: run the version that has it until they are redriven or discarded, or give an operator that name and onError "park"`;
  }
  if (book.hasOpen && now !== null && now !== topic) {
    return `dead letters of "${name}" are open in topic "${topic}", and this pipeline says "${now}": keep the topic until they are redriven or discarded`;
  }
  return null;
}
