import * as fc from "fast-check";
import type { Command } from "./command.ts";
import { anyGroupCommand, anyJoin } from "./group-commands.ts";
import { anyTopologyCommand, anyWatchCommand } from "./group-memory-commands.ts";
import { anyLogCommand } from "./log-commands.ts";
import { anyClose, anyPassage, anyRepeat } from "./other-commands.ts";
import { anyReaderCommand } from "./reader-commands.ts";
import { anyStateCommand } from "./state-commands.ts";
import { anyAcquire, anyTaskCommand } from "./task-commands.ts";

/** How many of ten calls are of which port. */
type Mix = Readonly<Record<"log" | "reader" | "task" | "state" | "group" | "topology" | "watch" | "passage", number>>;

const MIXES: readonly Mix[] = [
  { log: 10, reader: 8, task: 2, state: 0, group: 0, topology: 0, watch: 0, passage: 0 },
  { log: 3, reader: 2, task: 10, state: 5, group: 0, topology: 0, watch: 0, passage: 1 },
  { log: 0, reader: 0, task: 0, state: 0, group: 20, topology: 2, watch: 0, passage: 4 },
  { log: 0, reader: 0, task: 0, state: 0, group: 20, topology: 1, watch: 1, passage: 1 },
  { log: 4, reader: 2, task: 5, state: 3, group: 8, topology: 1, watch: 0, passage: 2 },
];

/** Sequences of one mix. */
function sequencesOf(mix: Mix): fc.Arbitrary<readonly Command[]> {
  const any = fc.oneof(
    { weight: 10 * mix.log, arbitrary: anyLogCommand },
    { weight: 10 * mix.reader, arbitrary: anyReaderCommand },
    { weight: 10 * mix.task, arbitrary: anyTaskCommand },
    { weight: 10 * mix.state, arbitrary: anyStateCommand },
    { weight: 10 * mix.group, arbitrary: anyGroupCommand },
    { weight: 10 * mix.topology, arbitrary: anyTopologyCommand },
    { weight: 10 * mix.watch, arbitrary: anyWatchCommand },
    { weight: 10 * mix.passage, arbitrary: anyPassage },
    { weight: 20, arbitrary: anyRepeat },
    { weight: 1, arbitrary: anyClose },
  );
  const commands = fc.array(any, { minLength: 1, maxLength: 60, size: "max" });
  // Nobody is a member before the first join, and no task has an owner.
  const first = [...(mix.group > 0 ? [anyJoin, anyJoin] : []), ...(mix.task > 0 ? [anyAcquire] : [])];
  const begin = fc.tuple(...first.map((command) => fc.option(command, { freq: 20 })));
  return fc.tuple(begin, commands).map(([some, rest]) => [...some.filter((each) => each !== null), ...rest]);
}

/** What is called, in which order: of some ports more than of others, of all of them now and then. */
export const anySequence: fc.Arbitrary<readonly Command[]> = fc.oneof(...MIXES.map(sequencesOf));
