import {
  type Adapter,
  type Group,
  type Log,
  type Ports,
  portError,
  type Reader,
  type TaskRef,
  type Tasks,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Activity } from "./activity.ts";
import type { Sightings } from "./sightings.ts";
import type { Topics } from "./topics.ts";
import type { WorkerGate } from "./worker-gate.ts";

/** Whose calls go through a gate, and who is told of them. */
export interface Gated {
  readonly gate: WorkerGate;
  readonly activity: Activity;
  readonly sightings: Sightings;
  readonly topics: Topics;
}

/** What is open of a gated adapter; to be closed with the gate, since nobody behind it can any more. */
export interface GatedAdapter extends Adapter {
  close(): void;
}

/** Puts a worker's gate in front of the store. */
export function gatedAdapter(inner: Adapter, of: Gated): GatedAdapter {
  const opened: Ports[] = [];
  return {
    name: inner.name,
    open: () => async () => {
      const ports = await inner.open()();
      if (E.isLeft(ports)) {
        return ports;
      }
      opened.push(ports.right);
      return E.right(gatedPorts(ports.right, of));
    },
    close: () => {
      for (const ports of opened) {
        void ports.close();
      }
    },
  };
}

function gatedPorts(ports: Ports, of: Gated): Ports {
  const { log, tasks, group, state } = ports;
  return {
    log: gated(of.topics.watched(log), of, gatedLog(log, of)),
    tasks: gated(tasks, of, { acquire: acquiring(tasks, of) }),
    group: gated(group, of, gatedGroup(group, of)),
    state: gated(state, of, {}),
    close: () => ports.close(),
  };
}

/** A port whose calls go through the gate; `instead` has the methods that are no calls, or of which more is to be known. */
function gated<P extends object>(port: P, of: Gated, instead: Partial<P>): P {
  return new Proxy(port, {
    get: (target, name) => {
      const other: unknown = Reflect.get(instead, name);
      const method: unknown = Reflect.get(target, name);
      if (other !== undefined || typeof method !== "function") {
        return other ?? method;
      }
      return (...args: unknown[]) => through(of, method.apply(target, args) as TaskEither<unknown, unknown>);
    },
  });
}

/** The call, from behind the gate: it goes out, and its answer comes in, as the gate says. */
function through<Err, A>({ gate, activity }: Gated, call: TaskEither<Err, A>): TaskEither<Err, A> {
  return async () => {
    await gate.passed();
    activity.note();
    const answer = await call();
    await gate.passed();
    activity.note();
    return answer;
  };
}

/** The call, and what is to be known of its answer. */
function noting<Err, A>(of: Gated, call: TaskEither<Err, A>, note: (answer: A) => void): TaskEither<Err, A> {
  return through(of, async () => {
    const answer = await call();
    if (E.isRight(answer)) {
      note(answer.right);
    }
    return answer;
  });
}

function gatedLog(log: Log, of: Gated): Partial<Log> {
  return {
    times: (topic, numbers) =>
      noting(of, log.times(topic, numbers), (times) => of.sightings.looked(topic, numbers ?? [], times)),
    reader: (topic, partition, after) =>
      gatedReader(log.reader(topic, partition, after), of, () => of.sightings.read(topic.name, partition)),
  };
}

function acquiring(tasks: Tasks, of: Gated): Tasks["acquire"] {
  return (task: TaskRef, generation) =>
    noting(of, tasks.acquire(task, generation), () => of.sightings.acquires(task.group, task.topic, task.partition));
}

/**
 * A worker that dies is told behind the gate that its session is over. It can do nothing with that but drop its tasks: signals
 * of calls abort, and the places of limiters become free, which live on in this process.
 */
function gatedGroup(group: Group, of: Gated): Partial<Group> {
  const { sightings, gate, activity } = of;
  const died = gate.closed.then(() => E.left(portError("NotMember", "the worker was killed")));
  return {
    join: (request) => noting(of, group.join(request), (view) => sightings.told(request.group, view)),
    heartbeat: (ref, knows) => {
      const call = noting(of, group.heartbeat(ref, knows), (view) => sightings.told(ref.group, view));
      return () => Promise.race([call(), died]);
    },
    watch: (name, onHint) => {
      void gate.closed.then(() => onHint({ kind: "changed" }));
      return group.watch(name, (hint) => {
        activity.note();
        gate.let(() => onHint(hint));
      });
    },
  };
}

/** `found`: told when records were read. */
function gatedReader(reader: Reader, { gate, activity }: Gated, found: () => void): Reader {
  return {
    next: async (budget) => {
      await gate.passed();
      activity.note();
      const batch = await reader.next(budget);
      if (E.isRight(batch) && batch.right.records.length > 0) {
        found();
      }
      await gate.passed();
      activity.note();
      return batch;
    },
    close: () => reader.close(),
  };
}
