/** Makes histories of workers that do all right: they copy a topic, and count the records of each key in a store. */
import type { HistoryLine, LogRecord, RecordText } from "@millrace/testing/history";

/** Whether the effect of a call takes place, and whether the caller learns of it. */
export type Reply = "ok" | "lost" | "never arrived";

/** What a process was given when it acquired a partition. */
export interface Owner {
  readonly process: string;
  readonly partition: number;
  readonly nonce: string;
  /** What it believes. */
  sequence: number;
  processed: number;
  /** It has learnt that it owns the partition no more. */
  isFenced: boolean;
}

interface Partition {
  readonly input: LogRecord[];
  readonly output: LogRecord[];
  readonly counts: Map<string, number>;
  /** The next sequence of each producer. */
  readonly next: Map<string, number>;
  nonce: string;
  generation: number;
  sequence: number;
  processed: number;
}

/** What a commit is about. */
interface Work {
  readonly read: readonly LogRecord[];
  readonly counts: ReadonlyMap<string, number>;
  readonly offset: string;
  readonly processed: number;
}

export const GROUP = "app.copy";
export const STORE = "counts";
const INCARNATION = "i1";

/** See the head of this file. Every line is 1 ms behind the one before. */
export class Story {
  readonly lines: HistoryLine[] = [];
  readonly #partitions: readonly Partition[];
  readonly #calls = new Map<string, number>();
  /** Who appends to a partition at the moment, and how much of it was acknowledged. */
  readonly #producers = new Map<number, { readonly name: string; stored: number }>();
  #nowMs = 0;
  #nonces = 0;
  #readers = 0;
  #offsets = 0;

  constructor(partitions = 1) {
    this.#partitions = Array.from({ length: partitions }, () => ({
      input: [],
      output: [],
      counts: new Map<string, number>(),
      next: new Map<string, number>(),
      nonce: "",
      generation: 0,
      sequence: 0,
      processed: 0,
    }));
  }

  /** A producer appends records, each `<key><number>`, and repeats that until it is told that they are stored. */
  append(partition: number, values: readonly string[], reply: Reply = "ok"): void {
    const of = this.#at(partition);
    const records = values.map((value): RecordText => ({ key: value.slice(0, 1), payload: value }));
    const name = `producer-${partition}`;
    const producer = this.#producers.get(partition) ?? { name: "p", stored: 0 };
    this.#producers.set(partition, producer);
    const firstSequence = producer.stored;
    const place = { topic: "in", partition, incarnation: INCARNATION };
    const nextOf = (): number => of.next.get(producer.name) ?? 0;
    const send = (): number => {
      const call = this.#call(name);
      const atMs = this.#tick();
      const what = { ...place, producer: producer.name, firstSequence, records };
      this.lines.push({ _tag: "invoke", op: "append", process: name, call, atMs, ...what });
      return call;
    };
    const store = (): number => {
      const isNew = nextOf() === firstSequence;
      of.next.set(producer.name, firstSequence + records.length);
      of.input.push(...(isNew ? records.map((record) => this.#stamped(record)) : []));
      return isNew ? records.length : 0;
    };
    let call = send();
    if (nextOf() < firstSequence) {
      this.lines.push({ _tag: "fail", op: "append", process: name, call, atMs: this.#tick(), error: "SequenceGap" });
      this.#producers.set(partition, { name: `${producer.name}'`, stored: 0 });
      return;
    }
    if (reply !== "ok") {
      if (reply === "lost") {
        store();
      }
      this.lines.push({ _tag: "info", op: "append", process: name, call, atMs: this.#tick(), error: "Unavailable" });
      call = send();
    }
    const appended = store();
    this.lines.push({ _tag: "ok", op: "append", process: name, call, atMs: this.#tick(), appended });
    producer.stored += records.length;
  }

  /** A worker acquires a partition and reads its store. */
  acquire(process: string, partition: number): Owner {
    const of = this.#at(partition);
    this.#nonces += 1;
    of.nonce = `n${this.#nonces}`;
    of.generation += 1;
    const { nonce, generation, sequence, processed } = of;
    const head = { process, call: this.#call(process) };
    const task = this.#task(partition);
    this.lines.push({ _tag: "invoke", op: "acquire", ...head, atMs: this.#tick(), ...task, generation });
    const found = { nonce, sequence, offset: this.#offsetAt(of), processed };
    this.lines.push({ _tag: "ok", op: "acquire", ...head, atMs: this.#tick(), ...found });
    const read = { process, call: this.#call(process) };
    this.lines.push({ _tag: "invoke", op: "state", ...read, atMs: this.#tick(), ...task, store: STORE });
    const entries = [...of.counts].map(([key, count]) => [key, `${count}`] as const);
    this.lines.push({ _tag: "ok", op: "state", ...read, atMs: this.#tick(), isWhole: true, entries });
    return { process, partition, nonce, sequence, processed, isFenced: false };
  }

  /** An owner reads up to so many records and commits them; one that is none any more is refused. */
  commit(owner: Owner, records: number, reply: Reply = "ok"): void {
    const { process, partition, nonce, sequence } = owner;
    const of = this.#at(partition);
    const work = this.#workOf(owner, records);
    if (work === null || owner.isFenced) {
      return;
    }
    this.#read(owner, work.read);
    const isRefused = of.nonce !== nonce || of.sequence !== sequence;
    let call = this.#send(owner, work);
    if (reply !== "ok") {
      if (reply === "lost" && !isRefused) {
        this.#apply(of, sequence, work);
      }
      this.lines.push({ _tag: "info", op: "commit", process, call, atMs: this.#tick(), error: "Unavailable" });
      call = this.#send(owner, work);
    }
    if (isRefused) {
      owner.isFenced = true;
      const error = of.nonce === nonce ? "Regressed" : "Fenced";
      this.lines.push({ _tag: "fail", op: "commit", process, call, atMs: this.#tick(), error });
      return;
    }
    const isNew = of.sequence === sequence;
    if (isNew) {
      this.#apply(of, sequence, work);
    }
    const result = isNew ? "applied" : "alreadyApplied";
    this.lines.push({ _tag: "ok", op: "commit", process, call, atMs: this.#tick(), result });
    owner.sequence += 1;
    owner.processed = work.processed;
    const counters = { offset: work.offset, records: work.read.length, outputs: work.read.length };
    const task = `${GROUP}/in/${partition}`;
    this.lines.push({ _tag: "event", process, atMs: this.#tick(), event: "Committed", task, ...counters });
  }

  #workOf({ partition, processed }: Owner, records: number): Work | null {
    const of = this.#at(partition);
    const read = of.input.slice(processed, processed + records);
    const last = read.at(-1);
    const counts = new Map(of.counts);
    for (const { key } of read) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return last === undefined ? null : { read, counts, offset: last.offset, processed: processed + read.length };
  }

  #send({ process, partition, nonce, sequence }: Owner, { read, counts, offset, processed }: Work): number {
    const call = this.#call(process);
    const head = { process, call, atMs: this.#tick() };
    const puts = [...new Set(read.map(({ key }) => key))].map((key) => [key, `${counts.get(key)}`] as const);
    const outputs = [{ ...this.#place("out", partition), records: read.map(({ key, payload }) => ({ key, payload })) }];
    const state = [{ store: STORE, puts, deletes: [] }];
    const what = { nonce, sequence, offset, processed, outputs, state };
    this.lines.push({ _tag: "invoke", op: "commit", ...head, ...this.#task(partition), ...what });
    return call;
  }

  #apply(of: Partition, sequence: number, { read, counts, processed }: Work): void {
    of.output.push(...read.map((record) => this.#stamped(record)));
    for (const [key, count] of counts) {
      of.counts.set(key, count);
    }
    of.sequence = sequence + 1;
    of.processed = processed;
  }

  /** The store as it is now; the function that is returned puts it back: the store has lost what was written since. */
  save(): () => void {
    const fromMs = this.#nowMs;
    const saved = structuredClone(this.#partitions);
    return () => {
      for (const [at, before] of structuredClone(saved).entries()) {
        const { input, output, counts, next, ...fields } = before;
        const of = this.#at(at);
        of.input.splice(0, of.input.length, ...input);
        of.output.splice(0, of.output.length, ...output);
        refill(of.counts, counts);
        refill(of.next, next);
        Object.assign(of, fields);
      }
      this.lines.push({ _tag: "loss", fromMs, untilMs: this.#tick() });
    };
  }

  /** The whole history: what was done, and what there is now. */
  end(): readonly HistoryLine[] {
    const contents = this.#partitions.flatMap((of, partition): readonly HistoryLine[] => [
      ...this.#log("in", partition, of.input),
      ...this.#log("out", partition, of.output),
      {
        _tag: "position",
        ...this.#task(partition),
        sequence: of.sequence,
        offset: this.#offsetAt(of),
        processed: of.processed,
      },
      {
        _tag: "state",
        ...this.#task(partition),
        store: STORE,
        entries: [...of.counts].map(([key, count]) => [key, `${count}`] as const),
      },
    ]);
    return [...this.lines, { _tag: "end", atMs: this.#tick() }, ...contents];
  }

  #read({ process, partition, processed }: Owner, records: readonly LogRecord[]): void {
    this.#readers += 1;
    const after = this.#at(partition).input[processed - 1]?.offset ?? "0-0/0";
    const place = this.#place("in", partition);
    const atMs = this.#tick();
    this.lines.push({ _tag: "read", process, atMs, askedMs: atMs, ...place, reader: this.#readers, after, records });
  }

  #log(topic: string, partition: number, records: readonly LogRecord[]): readonly HistoryLine[] {
    const place = this.#place(topic, partition);
    const held = records.length;
    return [
      { _tag: "partition", ...place, appended: held, held },
      { _tag: "log", ...place, records: [...records] },
    ];
  }

  #place(topic: string, partition: number) {
    return { topic, partition, incarnation: INCARNATION };
  }

  #task(partition: number) {
    return { ...this.#place("in", partition), group: GROUP };
  }

  #at(partition: number): Partition {
    const found = this.#partitions[partition];
    if (found === undefined) {
      throw new RangeError(`no partition ${partition}`);
    }
    return found;
  }

  #offsetAt({ input, processed }: Partition): string {
    return input[processed - 1]?.offset ?? "0-0/0";
  }

  #stamped({ key, payload }: RecordText): LogRecord {
    this.#offsets += 1;
    return { key, payload, offset: `${this.#offsets}-0/0`, timestampMs: this.#nowMs };
  }

  #call(process: string): number {
    const call = (this.#calls.get(process) ?? 0) + 1;
    this.#calls.set(process, call);
    return call;
  }

  #tick(): number {
    this.#nowMs += 1;
    return this.#nowMs;
  }
}

function refill<K, V>(map: Map<K, V>, entries: Iterable<readonly [K, V]>): void {
  map.clear();
  for (const [key, value] of entries) {
    map.set(key, value);
  }
}
