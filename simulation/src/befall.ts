import type { Cluster, Worker } from "./cluster.ts";
import type { Fault } from "./scenario.ts";

/** What schedules the parts of a fault. */
export type At = (atMs: number, action: () => void) => void;

/** Lets a fault happen; `at` counts from the start of the scenario. */
export function befall(fault: Fault, cluster: Cluster, at: At): void {
  const { kind, atMs, forMs, victim } = fault;
  const endMs = atMs + forMs;
  const onWorker = (begin: (worker: Worker) => void, end: (worker: Worker) => void = () => {}): void =>
    at(atMs, () => {
      const there = cluster.workers.filter(({ isLeaving }) => !isLeaving);
      const worker = there[victim % there.length];
      if (worker !== undefined) {
        begin(worker);
        at(endMs, () => end(worker));
      }
    });
  switch (kind) {
    case "kill":
      onWorker(die, () => cluster.startWorker());
      break;
    case "killNamed":
      onWorker(die, ({ member }) => cluster.startWorker(member));
      break;
    case "freeze":
      onWorker(
        ({ process }) => process.freeze(),
        ({ process }) => process.thaw(),
      );
      break;
    case "break":
      onWorker(({ adapter }) => adapter.break());
      break;
    case "cut":
      onWorker(
        ({ adapter }) => adapter.cut("both"),
        ({ adapter }) => adapter.cut("none"),
      );
      break;
    case "cutReplies":
      onWorker(
        ({ adapter }) => adapter.cut("replies"),
        ({ adapter }) => adapter.cut("none"),
      );
      break;
    case "stop":
      onWorker(leave, () => cluster.startWorker());
      break;
    case "join":
      at(atMs, () => cluster.startWorker());
      break;
    case "stall":
      at(atMs, () => cluster.server.freeze());
      at(endMs, () => cluster.server.thaw());
      break;
    case "restart":
      at(atMs, () => cluster.goDown());
      at(endMs, () => cluster.comeBack(null));
      break;
    case "lose":
      at(atMs, () => {
        const restore = cluster.store.snapshot();
        const { losses } = cluster;
        const fromMs = cluster.nowMs();
        at(endMs, () => {
          if (cluster.losses !== losses) {
            // The moment to go back to is not part of the store's past any more.
            return;
          }
          cluster.goDown();
          cluster.comeBack(restore);
          cluster.history.push({ _tag: "loss", fromMs, untilMs: cluster.nowMs() });
          // What was acknowledged is lost too, as G7 says; who has its input still sends it again.
          cluster.startProducer();
          cluster.runFinishedAgain();
        });
      });
      break;
    case "storeClock":
      at(atMs, () => cluster.server.setClock(victim % 2 === 0 ? forMs : -forMs));
      break;
    case "workerClock":
      onWorker(({ process }) => process.setClock(victim % 2 === 0 ? forMs : -forMs));
      break;
    case "killProducer":
      at(atMs, () => {
        for (const { process } of cluster.producers) {
          process.kill();
        }
        at(endMs, () => cluster.startProducer());
      });
      break;
    case "freezeProducer":
      at(atMs, () => {
        const frozen = cluster.producers.at(-1);
        frozen?.process.freeze();
        cluster.startProducer();
        at(endMs, () => frozen?.process.thaw());
      });
      break;
  }
}

function die(worker: Worker): void {
  worker.isLeaving = true;
  worker.process.kill();
}

function leave(worker: Worker): void {
  worker.isLeaving = true;
  worker.process.soon(() => void worker.running?.stop({ within: "500 ms" }));
}
