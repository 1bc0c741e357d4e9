import type { App, GroupDescription } from "@millrace/core";
import Table from "cli-table3";
import { grouped, seconds, shortId, tasks, unprefixed } from "./format.ts";
import { airportDays, worstAirports } from "./pipelines.ts";
import { plain } from "./table.ts";
import type { ResultTopics } from "./topics.ts";

/** Who works on both pipelines, and how far they are. */
export async function readStatus(app: App, topics: ResultTopics): Promise<readonly GroupDescription[]> {
  return Promise.all([airportDays(topics), worstAirports(topics)].map((pipeline) => app.describeGroup(pipeline)));
}

/** The workers and the tasks of each group as JSON lines. */
export function toStatusLines(groups: readonly GroupDescription[]): string {
  const rows = groups.flatMap(({ group, members, tasks: all }) => [
    ...members.map((member) => ({ type: "member", group, ...member })),
    ...all.map((task) => ({ type: "task", group, ...task })),
  ]);
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** The workers and the tasks of each group as tables. */
export function toStatusTables(groups: readonly GroupDescription[]): string {
  return groups.map((group) => [titleOf(group), workersOf(group), tasksOf(group)].join("")).join("\n");
}

function titleOf({ group, members, tasks: all }: GroupDescription): string {
  const workers = members.length === 0 ? "nobody" : `${members.length}`;
  return `${unprefixed(group)}: ${workers} at work, ${tasks(all.length)}\n`;
}

function workersOf({ members }: GroupDescription): string {
  const table = new Table({
    head: ["worker", "host", "pid", "tasks", "session ends in"],
    style: plain,
    colAligns: ["left", "left", "right", "right", "right"],
  });
  const sorted = members.toSorted((a, b) => (a.member < b.member ? -1 : 1));
  for (const { member, isLeaving, host, pid, tasks: has, target, expiresInMs } of sorted) {
    const name = `${shortId(member)}${isLeaving ? ", leaving" : ""}`;
    const moving = has.length === target.length ? "" : ` → ${target.length}`;
    table.push([name, host, pid, `${has.length}${moving}`, seconds(expiresInMs)]);
  }
  return members.length > 0 ? `${table.toString()}\n` : "";
}

function tasksOf({ tasks: all }: GroupDescription): string {
  const table = new Table({
    head: ["task", "worker", "offset", "processed", "lag", "lag (ms)"],
    style: plain,
    colAligns: ["left", "left", "right", "right", "right", "right"],
  });
  for (const { task, member, offset, processed, lag, lagMs, isComplete } of all) {
    const owner = member === null ? "" : shortId(member);
    const behind = isComplete ? "complete" : grouped(lag);
    table.push([task, owner, offset, grouped(processed), behind, lagMs === null ? "" : grouped(lagMs)]);
  }
  return all.length > 0 ? `${table.toString()}\n` : "";
}
