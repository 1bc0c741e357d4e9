import Table from "cli-table3";
import { grouped, minutes, percent } from "./format.ts";
import type { Report } from "./report.ts";
import type { DayRow } from "./topics.ts";

/** How many of the last days are shown. */
const DAYS_SHOWN = 7;
/** How many airports are shown of each of these days. */
const WORST_SHOWN = 3;

/** The results in a form for people: the last days, the ten worst airports of the last one that has any, and sums. */
export function toTables(report: Report): string {
  const { days, rankings } = report;
  // The very last day may be a few flights of the small hours.
  const last = rankings.findLast(({ origins }) => origins.length > 0) ?? rankings.at(-1);
  if (last === undefined) {
    return "No results yet.\n";
  }
  const parts = [
    `The last ${Math.min(DAYS_SHOWN, rankings.length)} days, and the worst mean delays among airports with at least five flights`,
    lastDays(report),
    `The worst airports of ${last.day}`,
    worstOf(report, last.day),
    sums(days),
  ];
  return `${parts.join("\n")}\n`;
}

function lastDays({ days, rankings }: Report): string {
  const table = new Table({
    head: ["day", "flights", "mean delay", "late", "worst airports (minutes)"],
    style: plain,
    colAligns: ["left", "right", "right", "right", "left"],
  });
  for (const { day, origins } of rankings.slice(-DAYS_SHOWN)) {
    const total = totalOf(days.filter((row) => row.day === day));
    const worst = origins.slice(0, WORST_SHOWN).map(({ origin, meanDelay }) => `${origin} ${minutes(meanDelay)}`);
    table.push([day, grouped(total.flights), minutes(total.meanDelay), percent(total.lateShare), worst.join(", ")]);
  }
  return table.toString();
}

function worstOf({ days, rankings }: Report, day: string): string {
  const table = new Table({
    head: ["", "airport", "mean delay", "worst", "late", "flights"],
    style: plain,
    colAligns: ["right", "left", "right", "right", "right", "right"],
  });
  const origins = rankings.find((row) => row.day === day)?.origins ?? [];
  origins.forEach(({ origin, meanDelay }, index) => {
    const row = days.find((other) => other.day === day && other.origin === origin);
    table.push([
      index + 1,
      origin,
      minutes(meanDelay),
      row?.worstDelay ?? "",
      row === undefined ? "" : percent(row.lateShare),
      row?.flights ?? "",
    ]);
  });
  return table.toString();
}

function sums(days: readonly DayRow[]): string {
  const { flights, meanDelay, lateShare } = totalOf(days);
  const count = (of: (row: DayRow) => string): string => grouped(new Set(days.map(of)).size);
  return (
    `${grouped(flights)} flights from ${count(({ origin }) => origin)} airports on ${count(({ day }) => day)} days ` +
    `(${grouped(days.length)} results): mean delay ${minutes(meanDelay)} minutes, ${percent(lateShare)} late`
  );
}

function totalOf(days: readonly DayRow[]): Pick<DayRow, "flights" | "meanDelay" | "lateShare"> {
  let flights = 0;
  let delay = 0;
  let late = 0;
  for (const row of days) {
    flights += row.flights;
    delay += row.meanDelay * row.flights;
    late += row.lateShare * row.flights;
  }
  return { flights, meanDelay: delay / flights, lateShare: late / flights };
}

/** No colours, no lines between rows. */
export const plain = { head: [], border: [], compact: true };
