import type { Accepted, ProcessHistory, Stay } from "../history.ts";

/** The commits that a process was told were accepted, in order, each with the stay in which it was made. */
export function acceptedCommits({ name, lines }: ProcessHistory): readonly Accepted[] {
  const stays = new Map<string, Stay>();
  const commits: Accepted[] = [];
  for (const line of lines) {
    if (line._tag === "stay") {
      stays.set(line.task, line);
    } else if (line._tag === "commit" && line.records > 0) {
      const { atMs, task, offset, records } = line;
      commits.push({ process: name, stay: stays.get(task) ?? null, atMs, task, offset, records });
    }
  }
  return commits;
}
