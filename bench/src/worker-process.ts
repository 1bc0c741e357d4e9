import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a worker process can be: a side of a contest, a member of a group, the load, or a variant of another benchmark. */
export type Role = "side" | "member" | "load" | "chain" | "handlers" | "heap" | "state" | "take-over";

/** What is asked of a worker, with a number that its answer carries. */
export interface Request {
  readonly id: number;
  readonly request: unknown;
}

/** What a worker says: once when it is ready, then once for each request; and what happens in it, at any time. */
export type Message =
  | { readonly _tag: "ready" }
  | { readonly _tag: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly _tag: "event"; readonly event: unknown }
  | { readonly _tag: "failed"; readonly message: string };

/** A process that does what it is asked. Disposing of it ends it. */
export interface WorkerProcess extends Disposable {
  /** Rejects with what the worker says went wrong, or when it ends. Its program alone knows the type of an answer. */
  ask(request: unknown): Promise<unknown>;
  /** Resolves when the process is gone. */
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

/** What a worker is started with. */
export interface WorkerOptions {
  readonly role: Role;
  readonly args: readonly string[];
  /** Its name in errors. */
  readonly who: string;
  readonly onEvent?: (event: unknown) => void;
}

/** Starts a worker and waits until it is ready. Rejects with what the worker says went wrong. */
export async function startWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const worker = new ForkedWorker(options);
  await worker.ready;
  return worker;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

const READY = 0;

class ForkedWorker implements WorkerProcess {
  readonly ready: Promise<unknown>;
  private readonly options: WorkerOptions;
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, Waiting>();
  private requests = READY;

  constructor(options: WorkerOptions) {
    this.options = options;
    this.child = fork(fileURLToPath(new URL("./worker.js", import.meta.url)), [options.role, ...options.args], {
      execArgv: [...process.execArgv, "--expose-gc"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.ready = new Promise((resolve, reject) => this.waiting.set(READY, { resolve, reject }));
    this.child.on("message", (message) => this.onMessage(message as Message));
    this.child.on("exit", (code) => this.fail(`ended with ${code}`));
    this.child.on("error", ({ message }) => this.fail(message));
  }

  ask(request: unknown): Promise<unknown> {
    this.requests += 1;
    const asked: Request = { id: this.requests, request };
    return new Promise((resolve, reject) => {
      this.waiting.set(asked.id, { resolve, reject });
      this.child.send(asked);
    });
  }

  async kill(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const exited = once(this.child, "exit");
    this.child.kill(signal);
    await exited;
  }

  [Symbol.dispose](): void {
    if (this.child.connected) {
      this.child.disconnect();
    }
  }

  private onMessage(message: Message): void {
    switch (message._tag) {
      case "ready":
        this.settle(READY, null);
        break;
      case "answer":
        this.settle(message.id, message.answer);
        break;
      case "event":
        this.options.onEvent?.(message.event);
        break;
      case "failed":
        this.fail(message.message);
    }
  }

  private settle(id: number, answer: unknown): void {
    this.waiting.get(id)?.resolve(answer);
    this.waiting.delete(id);
  }

  private fail(message: string): void {
    for (const { reject } of this.waiting.values()) {
      reject(new Error(`${this.options.who}: ${message}`));
    }
    this.waiting.clear();
  }
}
