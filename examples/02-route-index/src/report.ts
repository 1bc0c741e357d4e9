import Table from "cli-table3";
import type { RouteIndex } from "./route-index.ts";

const SHOWN = 8;

/** The latest documents with the words, and the totals, for people. */
export function toTable(index: RouteIndex, words: string, seconds: string): string {
  const table = new Table({
    head: ["route", "title", "as of its last flight"],
    style: { head: [], border: [], compact: true },
  });
  for (const { route, title, body } of index.search(words, SHOWN)) {
    table.push([route, title, body]);
  }
  const { documents, applied, ignored, batches } = index.totals();
  const again = ignored === 0 ? "" : `, ${grouped(ignored)} that came again ignored`;
  return (
    `The latest documents with "${words}"\n${table.toString()}\n` +
    `${grouped(documents)} documents after ${grouped(applied)} flights${again}; ${grouped(batches)} transactions, ${seconds} s\n`
  );
}

/** All documents by route, then the totals. */
export function toJsonLines(index: RouteIndex): string {
  const lines = [
    ...index.all().map((document) => ({ type: "document", ...document })),
    { type: "totals", ...index.totals() },
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** `20,000`, the same on every machine. */
function grouped(number: number): string {
  return number.toLocaleString("en-US");
}
