import {
  count,
  filter,
  fold,
  map,
  max,
  mean,
  type Pipeline,
  pipeline,
  sink,
  stream,
  sum,
  tumbling,
  window,
} from "@millrace/core";
import { type DayRow, type Flight, flights, type RankingRow, type ResultTopics } from "./topics.ts";

/** A flight counts as late above this many minutes. */
const LATE_MINUTES = 15;
/** An airport with fewer flights on a day is not ranked. */
const LEAST_FLIGHTS = 5;
const RANKED = 10;

type Ranked = RankingRow["origins"];

/**
 * From flights to airports by day. A flight up to an hour out of order still finds its day open. What lies in the topic and is no
 * flight becomes a dead letter.
 */
export function airportDays({ days }: ResultTopics): Pipeline {
  return pipeline(
    "airport-days",
    stream(flights, { onError: "deadLetter" }).pipe(
      filter(isPossible),
      window(
        tumbling("1 day"),
        {
          flights: count(),
          meanDelay: mean(({ delay }) => delay),
          worstDelay: max(({ delay }) => delay),
          late: sum(({ delay }) => (delay > LATE_MINUTES ? 1 : 0)),
        },
        { grace: "1 hour" },
      ),
      map(({ key, start, value: { late, ...delays } }) =>
        days.of({ origin: key, day: dayOf(start), ...delays, lateShare: late / delays.flights }),
      ),
      sink(days),
    ),
  );
}

/** From airports by day to the worst airports of each day: another key, so through a repartition topic. */
export function worstAirports({ days, rankings }: ResultTopics): Pipeline {
  const nobody: Ranked = [];
  return pipeline(
    "worst-airports",
    stream(days).pipe(
      window(tumbling("1 day"), { origins: fold(nobody, rank) }, { by: ({ day }) => day, grace: "0 s" }),
      map(({ key, value: { origins } }) => rankings.of({ day: key, origins })),
      sink(rankings),
    ),
  );
}

/** The data has a few departures more than a day early, or late. */
function isPossible({ delay }: Flight): boolean {
  return delay >= -60 && delay <= 1_440;
}

/** Rows come in any order: the list stays sorted and cut, so that it depends on the rows alone. */
function rank(ranked: Ranked, { origin, meanDelay, flights: flown }: DayRow): Ranked {
  if (flown < LEAST_FLIGHTS) {
    return ranked;
  }
  const isWorse = (other: Ranked[number]): boolean =>
    other.meanDelay > meanDelay || (other.meanDelay === meanDelay && other.origin < origin);
  const place = ranked.filter(isWorse).length;
  return [...ranked.slice(0, place), { origin, meanDelay }, ...ranked.slice(place)].slice(0, RANKED);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
