import { type App, createApp, type Producer } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { type HistoryLine, recordHistory } from "@millrace/testing/history";
import type { SentRecord } from "./history.ts";
import { type Input, topicsWith } from "./topics.ts";

/** How much is sent. */
export interface LoadOptions {
  readonly url: string;
  readonly partitions: number;
  /** Values a second. */
  readonly rate: number;
  readonly keys: number;
  /** Time between bursts. */
  readonly everyMs: number;
  readonly now: () => number;
}

/** More unanswered calls than that would be a backlog of the test's own. */
const MAX_PENDING = 5_000;
const GROUPS = 8;

/** Sends values at a constant rate. */
export class Load {
  private readonly options: LoadOptions;
  private readonly app: App;
  private readonly producer: Producer<Input>;
  private readonly counts: number[];
  private readonly records: { readonly key: string; readonly n: number; isAcked: boolean }[] = [];
  private readonly calls: HistoryLine[];
  private readonly timer: NodeJS.Timeout;
  private readonly startMs: number;
  private pending = 0;
  private due = 0;
  private lastMs = 0;
  private failure: unknown = null;

  private constructor(options: LoadOptions, app: App, producer: Producer<Input>, calls: HistoryLine[]) {
    this.options = options;
    this.app = app;
    this.calls = calls;
    this.producer = producer;
    this.counts = Array.from({ length: options.keys }, () => 0);
    this.startMs = options.now();
    this.timer = setInterval(() => this.tick(), options.everyMs);
  }

  /** Opens the producer and begins to send. */
  static async start(options: LoadOptions): Promise<Load> {
    const calls: HistoryLine[] = [];
    const recorder = { process: "load", clock: options, write: (line: HistoryLine) => void calls.push(line) };
    const app = createApp({ name: "chaos-load", adapter: recordHistory(redisAdapter({ url: options.url }), recorder) });
    return new Load(options, app, await app.producer(topicsWith(options.partitions).input), calls);
  }

  get sent(): readonly SentRecord[] {
    return this.records;
  }

  /** Its part of the shared history. */
  get lines(): readonly HistoryLine[] {
    return this.calls;
  }

  /** Sends no more, waits until everything is stored, and ends the input. Rejects with what went wrong on the way. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    await this.producer.end();
    if (this.failure !== null) {
      throw new Error("the producer failed", { cause: this.failure });
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.app.close();
  }

  private tick(): void {
    const { rate, now } = this.options;
    this.due = Math.floor(((now() - this.startMs) * rate) / 1_000);
    // What a pause of this process has left behind is sent at once, as a burst.
    while (this.records.length < this.due && this.pending < MAX_PENDING) {
      this.send();
    }
  }

  private send(): void {
    const { keys, now } = this.options;
    const at = this.records.length % keys;
    const n = this.counts[at] ?? 0;
    this.counts[at] = n + 1;
    this.lastMs = Math.max(this.lastMs, Math.floor(now()));
    const record = { key: `key-${at}`, n, isAcked: false };
    this.records.push(record);
    this.pending += 1;
    void this.acknowledge(
      record,
      this.producer.send({ key: record.key, group: `group-${at % GROUPS}`, n, at: this.lastMs }),
    );
  }

  private async acknowledge(record: { isAcked: boolean }, sent: Promise<void>): Promise<void> {
    try {
      await sent;
      record.isAcked = true;
    } catch (error) {
      this.failure ??= error;
    }
    this.pending -= 1;
  }
}
