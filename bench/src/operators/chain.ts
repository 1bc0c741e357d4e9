import { distributionOf, median } from "../distribution.ts";
import { figuresOf, type Results, runRace } from "../race.ts";
import type { Report, Row, Trial } from "../trial.ts";
import { type ChainVariant, chainVariants, MULTIPLE } from "./chain-variants.ts";

const RECORDS = 400_000;
const ROUNDS = 9;
const WARM_UPS = 3;
const GOAL_NS = 100;
const GOAL_RATIO = 1.3;

/**
 * What five operators cost: map, filter, map, tap, filter. In a task nothing is decoded, encoded or stored; what is left is
 * reading within credits, units, event time and merging into commits. Of what operators alone cost, "none" is subtracted in
 * each round.
 */
export const chain: Trial = async (setting) => {
  const records = Math.ceil((setting.records ?? RECORDS) / MULTIPLE) * MULTIPLE;
  const rounds = setting.rounds ?? ROUNDS;
  const results = await runRace({
    role: "chain",
    laps: Object.keys(chainVariants).map((id) => ({ id, args: [id, String(records)], request: null })),
    rounds,
    warmUps: WARM_UPS,
    isFresh: false,
  });
  const times = timesIn(results, records);
  const own = differences(times("task, own"), times("task, none"));
  const ratios = ratiosOf(times("plain, own"), times("plain, rxjs"));
  const row = (what: string, id: ChainVariant): Row => rowOf(what, times(id));
  return {
    title: `chain: five operators, ${records} records, ${rounds} rounds; ns of CPU time per record`,
    head: ["median", "min–max"],
    rows: [
      row("in a task without a store: no operators", "task, none"),
      row("  five of Millrace", "task, own"),
      { ...rowOf("    they alone", own), verdict: { goal: `<= ${GOAL_NS} ns`, isMet: median(own) <= GOAL_NS } },
      row("  five of RxJS, each a foreign operator", "task, rxjs"),
      row("  five of RxJS in one native(…, { stateless })", "task, one section"),
      row("on an Observable: no operators", "plain, none"),
      row("  five of Millrace", "plain, own"),
      row("  five of RxJS", "plain, rxjs"),
      {
        what: "    Millrace by RxJS",
        cells: cellsOf(ratios, 2),
        verdict: { goal: `<= ${GOAL_RATIO}×`, isMet: median(ratios) <= GOAL_RATIO },
      },
    ],
    figures: {
      records,
      rounds,
      cpuNs: Object.fromEntries(Object.keys(chainVariants).map((id) => [id, times(id)])),
      ownAloneNs: median(own),
      ratio: median(ratios),
    },
  } satisfies Report;
};

/** CPU time per record of each round, in ns. */
function timesIn(results: Results, records: number): (id: string) => readonly number[] {
  return (id) => figuresOf(results, id, "cpuMs").map((ms) => (ms * 1e6) / records);
}

function rowOf(what: string, values: readonly number[]): Row {
  return { what, cells: cellsOf(values, 0) };
}

function cellsOf(values: readonly number[], digits: number): string[] {
  const { max } = distributionOf(values);
  return [median(values).toFixed(digits), `${Math.min(...values).toFixed(digits)}–${max.toFixed(digits)}`];
}

function differences(values: readonly number[], without: readonly number[]): readonly number[] {
  return values.map((value, round) => value - (without[round] ?? Number.NaN));
}

function ratiosOf(values: readonly number[], rivals: readonly number[]): readonly number[] {
  return values.map((value, round) => value / (rivals[round] ?? Number.NaN));
}
