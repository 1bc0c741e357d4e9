// Runs tests in a vitest of its own, which stays between runs and lives in a process group that can be ended as a whole.
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A run that takes longer hangs, and is ended. */
const LONGEST_MS = 60_000;

/**
 * `only`: a pattern for full names; `null`: all tests of the file.
 *
 * @typedef {{ readonly file: string, readonly only: string | null }} TestsOfFile
 * @typedef {{ readonly tests: readonly TestsOfFile[], readonly without: { readonly name: string, readonly file: string } | null }} Job
 * @typedef {{ readonly report: import("./report.mjs").RunReport | null, readonly isLoaded: boolean }} Run
 */

const worker = fileURLToPath(new URL("./worker.mjs", import.meta.url));

export class Runner {
  /** @param {string} root the directory of the vitest configuration */
  constructor(root) {
    this.root = root;
    this.directory = mkdtempSync(join(tmpdir(), "millrace-mutate-"));
    /** @type {import("node:child_process").ChildProcess | null} */
    this.child = null;
  }

  /**
   * One run at a time. No report: it hung, or ended the process.
   *
   * @param {Job} job
   * @param {number} [withinMs]
   * @returns {Promise<Run>}
   */
  async run(job, withinMs = LONGEST_MS) {
    const child = this.child ?? (await this.start());
    child.send(job);
    const run = /** @type {Run | null} */ (await answerOf(child, withinMs));
    if (run === null) {
      this.end();
    }
    return run ?? { report: null, isLoaded: false };
  }

  /** Ends everything that runs. */
  close() {
    this.end();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async start() {
    const child = fork(worker, [this.root, join(this.directory, "proof")], {
      cwd: this.root,
      detached: true,
      // A vitest in a test of vitest is none of its workers.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"))),
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.child = child;
    if ((await answerOf(child, LONGEST_MS)) === null) {
      this.end();
      throw new Error(`vitest does not start in ${this.root}`);
    }
    return child;
  }

  end() {
    const pid = this.child?.pid;
    this.child = null;
    try {
      if (pid !== undefined) {
        // The group: tests start servers and workers.
        process.kill(-pid, "SIGKILL");
      }
    } catch {
      // It has ended by itself.
    }
  }
}

/**
 * The next message of a process; `null`: it has ended, or is silent for too long.
 *
 * @param {import("node:child_process").ChildProcess} child
 * @param {number} withinMs
 */
function answerOf(child, withinMs) {
  return new Promise((resolve) => {
    /** @param {unknown} answer */
    const settle = (answer) => {
      clearTimeout(timer);
      child.off("message", settle);
      child.off("exit", fail);
      resolve(answer);
    };
    const fail = () => settle(null);
    const timer = setTimeout(fail, withinMs);
    child.once("message", settle);
    child.once("exit", fail);
  });
}
