import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { BenchmarkName } from "./benchmarks.ts";
import type { Side } from "./contender.ts";
import type { Figures } from "./measure.ts";
import type { Answer } from "./worker.ts";

/** One side of a benchmark in a process of its own. Disposing of it ends the process. */
export interface WorkerProcess extends Disposable {
  run(id: string): Promise<Figures>;
}

export interface WorkerOptions {
  readonly benchmark: BenchmarkName;
  readonly side: Side;
  readonly url: string;
  readonly records: number;
}

/** Starts a worker and waits until it has prepared its input. Rejects with what the worker says went wrong. */
export async function startWorker({ benchmark, side, url, records }: WorkerOptions): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(new URL("./worker.js", import.meta.url)), [benchmark, side, url, String(records)], {
    execArgv: [...process.execArgv, "--expose-gc"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const who = `${benchmark} (${side})`;
  await answerOf(child, who);
  return {
    run: async (id) => {
      const answered = answerOf(child, who);
      child.send(id);
      const answer = await answered;
      if (answer._tag !== "measured") {
        throw new Error(`${who} answered ${answer._tag}`);
      }
      return answer.figures;
    },
    [Symbol.dispose]: () => child.disconnect(),
  };
}

function answerOf(child: ChildProcess, who: string): Promise<Exclude<Answer, { readonly _tag: "failed" }>> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`${who} ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      const answer = message as Answer;
      if (answer._tag === "failed") {
        reject(new Error(`${who}: ${answer.message}`));
      } else {
        resolve(answer);
      }
    });
  });
}
