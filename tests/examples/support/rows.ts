import { expect } from "vitest";
import { streamsOf } from "./streams.ts";

/** Every flight of the small data file, and every result, is there once: in the topics, as another client sees them. */
export async function expectEveryRowOnce(url: string, namespace: string): Promise<void> {
  using streams = streamsOf(url, namespace);
  const rowsOf = async (topic: string): Promise<readonly string[]> =>
    (await streams.values(topic)).map((text) => {
      const { day, origin = "" } = JSON.parse(text) as { readonly day: string; readonly origin?: string };
      return `${day} ${origin}`;
    });
  const counted = async (topic: string): Promise<{ readonly rows: number; readonly distinct: number }> => {
    const rows = await rowsOf(topic);
    return { rows: rows.length, distinct: new Set(rows).size };
  };
  expect(await streams.values("flights")).toHaveLength(20_000);
  expect(await counted("days")).toEqual({ rows: 6_901, distinct: 6_901 });
  expect(await counted("flights.worst-airports.days.window.repartition")).toEqual({ rows: 6_901, distinct: 6_901 });
  expect(await counted("rankings")).toEqual({ rows: 90, distinct: 90 });
}
