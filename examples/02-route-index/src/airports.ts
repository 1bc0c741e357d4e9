import { readFile } from "node:fs/promises";
import { dataFile } from "./data-file.ts";

/** Where an airport is: `"San Diego, CA"`, by its code. */
export type Airports = ReadonlyMap<string, string>;

/** Reads the airports of the United States. */
export async function readAirports(): Promise<Airports> {
  const [, ...lines] = (await readFile(dataFile("airports.csv"), "utf8")).trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [code = "", , city = "", state = ""] = fieldsOf(line);
      return [code, `${city}, ${state}`];
    }),
  );
}

/** Fields are quoted where they hold a comma. */
function fieldsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}
