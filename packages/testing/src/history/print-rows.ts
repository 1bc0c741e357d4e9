import { lineText, type TextOptions } from "./line-text.ts";
import type { HistoryLine } from "./lines.ts";

/** A line of a table, or several that belong together. */
export interface Row {
  readonly line: HistoryLine;
  readonly text: string;
}

/** So many commits in a row are worth a line each. */
const MOST_BARE = 3;

/** What is printed of each line. Commits of one task that write nothing, one behind the other, are told as one. */
export function rowsOf(lines: readonly HistoryLine[], options: TextOptions): readonly Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < lines.length; ) {
    const run = bareCommitsAt(lines, at);
    const [line] = run;
    const commits = run.filter((of) => of._tag === "invoke" && of.op === "commit");
    if (line !== undefined && commits.length > MOST_BARE) {
      rows.push({ line, text: bareText(commits) });
      at += run.length;
    } else {
      rows.push(
        ...lines.slice(at, at + Math.max(1, run.length)).map((of) => ({ line: of, text: lineText(of, options) })),
      );
      at += Math.max(1, run.length);
    }
  }
  return rows;
}

type CommitLine = Extract<HistoryLine, { readonly _tag: "invoke"; readonly op: "commit" }>;

/** The lines from here on that are commits of one task by one process that write nothing, and their outcomes. */
function bareCommitsAt(lines: readonly HistoryLine[], from: number): readonly HistoryLine[] {
  const first = lines[from];
  if (first === undefined || !isBare(first)) {
    return [];
  }
  let to = from + 1;
  for (let next = lines[to]; next !== undefined && continues(first, next); next = lines[to]) {
    to += 1;
  }
  return lines.slice(from, to);
}

function isBare(line: HistoryLine): line is CommitLine {
  return line._tag === "invoke" && line.op === "commit" && line.outputs.length + line.state.length === 0;
}

function continues(first: CommitLine, next: HistoryLine): boolean {
  if (isBare(next)) {
    return next.process === first.process && next.topic === first.topic && next.partition === first.partition;
  }
  return next._tag === "ok" && next.op === "commit" && next.process === first.process;
}

function bareText(commits: readonly CommitLine[]): string {
  const [first, last] = [commits[0], commits.at(-1)];
  return first === undefined || last === undefined
    ? ""
    : `#${first.call} to #${last.call}: commits ${first.sequence} to ${last.sequence} of ${first.group}/${first.topic}/${first.partition}, accepted, up to ${last.offset}; they write nothing that is shown here`;
}
