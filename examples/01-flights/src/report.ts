import type { App, Topic } from "@millrace/core";
import { lastValueFrom, map, toArray } from "rxjs";
import type { DayRow, RankingRow, ResultTopics } from "./topics.ts";

/** All results, sorted by day, then origin. */
export interface Report {
  readonly days: readonly DayRow[];
  readonly rankings: readonly RankingRow[];
}

/** Reads the results that are there now. */
export async function readReport(app: App, topics: ResultTopics): Promise<Report> {
  const days = await valuesOf(app, topics.days);
  const rankings = await valuesOf(app, topics.rankings);
  return {
    days: days.toSorted((a, b) => byText(a.day, b.day) || byText(a.origin, b.origin)),
    rankings: rankings.toSorted((a, b) => byText(a.day, b.day)),
  };
}

/** The results as JSON lines. */
export function toJsonLines({ days, rankings }: Report): string {
  const lines = [
    ...days.map((row) => JSON.stringify({ type: "day", ...row })),
    ...rankings.map((row) => JSON.stringify({ type: "ranking", ...row })),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function valuesOf<A>(app: App, topic: Topic<A>): Promise<A[]> {
  const records = app.observe(topic, { from: "start", untilEnd: true });
  return lastValueFrom(
    records.pipe(
      map(({ value }) => value),
      toArray(),
    ),
  );
}

/** By code units: the same on every machine, whatever its locale. */
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
