import type { Side } from "./contender.ts";
import type { ContestName } from "./contests.ts";
import type { Figures } from "./measure.ts";
import { startWorker } from "./worker-process.ts";

/** One side of a contest in a process of its own. Disposing of it ends the process. */
export interface SideProcess extends Disposable {
  run(id: string): Promise<Figures>;
}

export interface SideOptions {
  readonly contest: ContestName;
  readonly side: Side;
  readonly url: string;
  readonly records: number;
}

/** Starts one side and waits until it has prepared its input. Rejects with what the process says went wrong. */
export async function startSide({ contest, side, url, records }: SideOptions): Promise<SideProcess> {
  const args = [contest, side, url, String(records)];
  const worker = await startWorker({ role: "side", args, who: `${contest} (${side})` });
  return {
    run: async (id) => (await worker.ask(id)) as Figures,
    [Symbol.dispose]: () => worker[Symbol.dispose](),
  };
}
