import { json, type Topic, topic } from "@millrace/core";
import * as t from "io-ts";

/** One flight that took place. */
const Flight = t.type({
  origin: t.string,
  destination: t.string,
  /** Scheduled departure, ms since the Unix epoch. */
  at: t.number,
  /** Minutes; below 0 it was early. */
  delay: t.number,
  /** Miles. */
  distance: t.number,
});
export type Flight = t.TypeOf<typeof Flight>;

/** What became of the flights that left one airport on one UTC day. */
const DayRow = t.type({
  origin: t.string,
  /** `YYYY-MM-DD`. */
  day: t.string,
  flights: t.number,
  /** Minutes. */
  meanDelay: t.number,
  worstDelay: t.number,
  /** Share of the flights that were late, 0 to 1. */
  lateShare: t.number,
});
export type DayRow = t.TypeOf<typeof DayRow>;

/** The airports with the worst mean delay of one day, worst first. */
const RankingRow = t.type({
  day: t.string,
  origins: t.readonlyArray(t.type({ origin: t.string, meanDelay: t.number })),
});
export type RankingRow = t.TypeOf<typeof RankingRow>;

/** Keyed by airport, and ordered by time within each partition, because one producer sends them in that order. */
export const flights: Topic<Flight> = topic("flights", {
  codec: json(Flight),
  key: ({ origin }) => origin,
  timestamp: ({ at }) => at,
  partitions: 4,
});

/** The topics that hold results. Without a `timestamp`, a result keeps the last instant of its window. */
export interface ResultTopics {
  readonly days: Topic<DayRow>;
  readonly rankings: Topic<RankingRow>;
}

/** @param partitions 1 to 4,096; results do not depend on it. */
export function resultTopics(partitions: number): ResultTopics {
  return {
    days: topic("days", { codec: json(DayRow), key: ({ origin }) => origin, partitions }),
    rankings: topic("rankings", { codec: json(RankingRow), key: ({ day }) => day, partitions }),
  };
}
