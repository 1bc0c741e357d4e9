import type { HistoryView } from "../history-view.ts";
import { certainIn, type Match } from "../log-matches.ts";
import type { Findings } from "../verdict.ts";
import { nameOf } from "../written.ts";

/**
 * **I1**: acknowledged ⊆ log ⊆ invoked. Every record of which a producer was told that it is stored lies in its partition, as
 * often as it was sent, however often the call was repeated; and nothing lies there that nobody asked for.
 *
 * Needs the calls of every writer of a topic, and its records in the end; of records that were trimmed, the reads. What may be
 * gone by a declared loss may be there or not.
 *
 * Cannot see two records of a partition with the same key and payload being swapped.
 */
export function judgeLog(view: HistoryView, found: Findings): void {
  const topics = new Set([...view.appends.map(({ invoke }) => invoke.topic), ...outputTopics(view)]);
  for (const { line, name, all } of view.partitions) {
    if (!topics.has(line.topic)) {
      found.missing(`nobody who writes ${line.topic} was recorded`);
    } else if (all === null) {
      found.missing(`${line.appended - line.held} records of ${name} were trimmed, and nobody has read all of them`);
    }
  }
  if (view.partitions.length === 0) {
    found.missing("no partition's end is in the history");
  }
  for (const changed of view.written.filter(({ isChanged }) => isChanged)) {
    found.violated(`${nameOf(changed)} was sent again as another record`, changed.lines());
  }
  for (const match of view.matches) {
    if (topics.has(match.partition.line.topic)) {
      found.judged();
      judgeMatch(match, found);
    }
  }
}

function outputTopics({ tasks }: HistoryView): readonly string[] {
  return tasks.flatMap(({ commits }) => commits.flatMap(({ invoke }) => invoke.outputs.map(({ topic }) => topic)));
}

function judgeMatch({ partition, found: there, written }: Match, found: Findings): void {
  const certain = certainIn(written);
  const lost = written.findLast(({ certainty, isAppended }) => certainty === "certain" && isAppended);
  const first = there[0];
  if (partition.all !== null && lost !== undefined && there.length < certain) {
    const copies = there.length === 0 ? "is not" : `is only ${there.length} times, not ${certain},`;
    found.violated(`${nameOf(lost)} was acknowledged and ${copies} in ${partition.name}`, [
      ...lost.lines(),
      partition.line,
      ...there.map((record) => partition.lineOf(record)),
    ]);
  }
  if (first !== undefined && there.length > written.length) {
    const asked = written.length === 0 ? "nobody has ever asked for it" : `was asked for ${written.length} times`;
    const message =
      written.length === 0
        ? `${partition.name} has a record at ${first.offset} (key ${first.key}), and ${asked}`
        : `a record (key ${first.key}) is in ${partition.name} ${there.length} times, and ${asked}`;
    found.violated(message, [
      ...written.flatMap(({ lines }) => lines()),
      ...there.map((record) => partition.lineOf(record)),
    ]);
  }
}
