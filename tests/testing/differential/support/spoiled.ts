import type { Ports } from "@millrace/core";
import * as TE from "fp-ts/lib/TaskEither.js";

/** An adapter that breaks one promise. */
interface Spoiled {
  readonly name: string;
  readonly spoil: (ports: Ports) => Ports;
}

/** What sequences must find. */
export const SPOILED: readonly Spoiled[] = [
  {
    name: "one counts what was appended before",
    spoil: (ports) => ({
      ...ports,
      log: { ...ports.log, append: (request) => TE.map(() => request.records.length)(ports.log.append(request)) },
    }),
  },
  {
    name: "one says that a repeated commit was applied",
    spoil: (ports) => ({
      ...ports,
      tasks: { ...ports.tasks, commit: (commit) => TE.map(() => "applied" as const)(ports.tasks.commit(commit)) },
    }),
  },
  {
    name: "one lets deletes pass",
    spoil: (ports) => ({
      ...ports,
      tasks: {
        ...ports.tasks,
        commit: (commit) =>
          ports.tasks.commit({ ...commit, state: commit.state.map((delta) => ({ ...delta, deletes: [] })) }),
      },
    }),
  },
  {
    name: "one does not announce leaves",
    spoil: (ports) => ({
      ...ports,
      group: {
        ...ports.group,
        heartbeat: (ref, knows) => ports.group.heartbeat(ref, { ...knows, isLeaving: false }),
      },
    }),
  },
  {
    name: "one does not seal",
    spoil: (ports) => ({ ...ports, log: { ...ports.log, seal: () => TE.right(undefined) } }),
  },
];
