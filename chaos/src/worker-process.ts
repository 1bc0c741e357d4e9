import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type HistoryLine, parseHistory } from "@millrace/testing/history";
import { GUARD_VARIABLE, type Guard } from "./guards.ts";
import type { ProcessHistory, WorkerLine } from "./history.ts";
import { startProxy, type TcpProxy } from "./proxy.ts";
import { endWithThisProcess, isAlive } from "./watchdog.ts";
import { EXIT_UNAVAILABLE, type WorkerConfig } from "./worker-config.ts";

/** What a worker process is started with. */
export interface WorkerOptions extends Omit<WorkerConfig, "url"> {
  readonly redisPort: number;
  readonly without: Guard | null;
  readonly now: () => number;
}

/** Besides the 5 s in which a worker may stop, what a busy machine needs. */
const STOP_WITHIN_MS = 8_000;

/** A worker in a process of its own, behind a proxy of its own. */
export class WorkerProcess {
  readonly name: string;
  readonly member: string;
  readonly proxy: TcpProxy;
  /** Frozen or cut off at the moment. */
  isDisturbed = false;
  private readonly child: ChildProcess;
  private readonly options: WorkerOptions;
  private readonly exit: Promise<void>;
  private hasJoined = false;
  /** Killed, told to stop, or ended. */
  private leftMs: number | null = null;
  private endIsExpected = false;
  private wasKilled = false;
  private stopsTooLong = false;

  private constructor(options: WorkerOptions, child: ChildProcess, proxy: TcpProxy) {
    this.options = options;
    this.name = options.name;
    this.member = options.member;
    this.child = child;
    this.proxy = proxy;
    this.exit = this.untilExit();
    child.on("error", () => {}); // what could not be started has no pid, and what has ended cannot be signalled
    child.on("message", () => {
      this.hasJoined = true;
    });
  }

  /** Starts one. Does not wait until it has joined. */
  static async start(options: WorkerOptions): Promise<WorkerProcess> {
    const { redisPort, without, now: _now, ...rest } = options;
    const proxy = await startProxy(redisPort);
    const config: WorkerConfig = { ...rest, url: proxy.url };
    const output = openSync(`${options.file}.out`, "a");
    const hooks = without === null ? [] : ["--import", new URL("./without.js", import.meta.url).href];
    const child = fork(fileURLToPath(new URL("./worker.js", import.meta.url)), [JSON.stringify(config)], {
      execArgv: hooks,
      env: { ...process.env, ...(without === null ? {} : { [GUARD_VARIABLE]: without }) },
      stdio: ["ignore", output, output, "ipc"],
    });
    closeSync(output);
    endWithThisProcess(child);
    return new WorkerProcess(options, child, proxy);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** It is there, and was not told to leave. */
  get isStaying(): boolean {
    return this.leftMs === null && isAlive(this.child);
  }

  /** It has joined, is staying, and nothing is wrong with it. */
  get isAble(): boolean {
    return this.hasJoined && this.isStaying && !this.isDisturbed;
  }

  kill(): void {
    this.leftMs ??= this.options.now();
    this.wasKilled = true;
    this.child.kill("SIGKILL");
  }

  terminate(): void {
    this.leftMs ??= this.options.now();
    this.endIsExpected = true;
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => {
      this.stopsTooLong = isAlive(this.child);
    }, STOP_WITHIN_MS);
    timer.unref();
  }

  freeze(): void {
    this.child.kill("SIGSTOP");
  }

  thaw(): void {
    this.child.kill("SIGCONT");
  }

  /** From now on it may end by itself. */
  expectEnd(): void {
    this.endIsExpected = true;
  }

  /** Resolves when the process has ended. */
  ended(): Promise<void> {
    return this.exit;
  }

  /** Ends it in whatever state it is, and frees its proxy. Idempotent. */
  async dispose(): Promise<void> {
    if (isAlive(this.child)) {
      this.kill();
    }
    await this.exit;
    await this.proxy[Symbol.asyncDispose]();
  }

  /** Its part of the shared history. A line that a kill cut short is none. */
  calls(): readonly HistoryLine[] {
    return parseHistory(textOf(this.options.callsFile));
  }

  /** What it wrote down, and what is to be said of its end. */
  history(): ProcessHistory {
    return { name: this.name, lines: linesIn(this.options.file), problem: this.problem(), leftMs: this.leftMs };
  }

  private async untilExit(): Promise<void> {
    await once(this.child, "exit");
    this.leftMs ??= this.options.now();
  }

  private problem(): string | null {
    const { exitCode, signalCode } = this.child;
    if (this.stopsTooLong) {
      return `${this.name} was told to stop within 5 s and was still there after ${STOP_WITHIN_MS} ms`;
    }
    if (this.wasKilled || isAlive(this.child) || exitCode === EXIT_UNAVAILABLE) {
      return null;
    }
    if (exitCode === 0 && this.endIsExpected) {
      return null;
    }
    const output = readFileSync(`${this.options.file}.out`, "utf8").slice(-2_000);
    const last = linesIn(this.options.file).findLast((line) => line._tag === "event" && line.kind === "error");
    return `${this.name} ended with ${exitCode ?? signalCode}: ${last?._tag === "event" ? last.text : ""}${output}`;
  }
}

/** A line that a kill cut short is none. */
function linesIn(file: string): readonly WorkerLine[] {
  return textOf(file)
    .split("\n")
    .flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as WorkerLine] : []));
}

/** `""` where there is no such file: its writer was killed before it wrote anything. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
