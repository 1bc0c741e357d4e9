import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { asyncBufferFromFile, type ParquetScan, parquetScan } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Flight } from "./topics.ts";

/** Real flights in the United States in 2001, ordered by time: 20,000 of the first quarter, 3,000,000 of half a year. */
export type DataName = "20k" | "3m";

/** Flights to read. */
export interface Data {
  readonly count: number;
  /** Reads them from the file, in the order of departure. */
  flights(): AsyncIterable<Flight>;
}

/** Opens a file of the package vega-datasets, of which the first `rows` flights are used. */
export async function openData(name: DataName, rows: number): Promise<Data> {
  return name === "20k" ? openJson(rows) : openParquet(rows);
}

interface JsonFlight {
  /** `2001/01/01 00:47`, taken as UTC. */
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

async function openJson(rows: number): Promise<Data> {
  const all = JSON.parse(await readFile(pathOf("flights-20k.json"), "utf8")) as readonly JsonFlight[];
  const first = all.slice(0, rows);
  return {
    count: first.length,
    async *flights() {
      for (const { date, ...flight } of first) {
        yield { ...flight, at: Date.parse(`${date.replaceAll("/", "-").replace(" ", "T")}Z`) };
      }
    },
  };
}

/** The file is too large to be held as objects: it is read a group of rows at a time, as columns. */
async function openParquet(rows: number): Promise<Data> {
  const file = await asyncBufferFromFile(pathOf("flights-3m.parquet"));
  const scan = await parquetScan({ file, compressors });
  const total = Math.min(rows, Number(scan.metadata.num_rows));
  return {
    count: total,
    async *flights() {
      for (const range of scan.ranges) {
        if (range.rowStart >= total) {
          return;
        }
        yield* rowsOf(await columnsOf(scan, range), Math.min(range.rowEnd, total) - range.rowStart);
      }
    },
  };
}

type Columns = Awaited<ReturnType<typeof columnsOf>>;

async function columnsOf(scan: ParquetScan, range: ParquetScan["ranges"][number]) {
  const column = (name: string) => scan.readColumn({ column: name, ...range });
  const [date, delay, distance, origin, destination] = await Promise.all([
    column("date"),
    column("delay"),
    column("distance"),
    column("origin"),
    column("destination"),
  ]);
  return { date, delay, distance, origin, destination };
}

/** Dates come as `Date`, numbers as 64-bit integers. A missing number becomes NaN, which no topic takes. */
function* rowsOf({ date, delay, distance, origin, destination }: Columns, count: number): Generator<Flight> {
  for (let row = 0; row < count; row += 1) {
    yield {
      origin: String(origin[row]),
      destination: String(destination[row]),
      at: Number(date[row] ?? Number.NaN),
      delay: Number(delay[row] ?? Number.NaN),
      distance: Number(distance[row] ?? Number.NaN),
    };
  }
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(`../data/${file}`, import.meta.resolve("vega-datasets")));
}
