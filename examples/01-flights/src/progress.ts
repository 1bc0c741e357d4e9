import { Presets, SingleBar } from "cli-progress";
import { grouped } from "./format.ts";

/** How far a job is. */
export interface Sample {
  /** Flights so far, those of earlier runs included. */
  readonly flights: number;
  /** How many there will be, as far as is known. */
  readonly total: number;
  /** Flights that this process has handled, for the rate: those of other workers do not come and go with their tasks. */
  readonly counted: number;
  /** What else there is to say, with a comma in front; or nothing. */
  readonly detail: string;
}

const BAR_EVERY_MS = 200;
const LINE_EVERY_MS = 1_000;

/**
 * Does a job and shows its progress on stderr: as a bar on a terminal, as a line a second otherwise.
 *
 * @param sample called for every update; `null` while nothing is known
 */
export async function withProgress(verb: string, sample: () => Sample | null, job: () => Promise<void>): Promise<void> {
  const stop = process.stderr.isTTY ? showBar(verb, sample) : showLines(verb, sample);
  try {
    await job();
  } finally {
    stop();
  }
}

function showBar(verb: string, sample: () => Sample | null): () => void {
  const format = `${verb} {bar} {percentage}% | {value} of {total} flights{rate}{detail}`;
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
  const rateOf = meter();
  let isShown = false;
  const update = (): void => {
    const now = sample();
    if (now === null) {
      return;
    }
    const { flights, total, counted, detail } = now;
    const payload = { rate: rateOf(counted), detail };
    if (!isShown) {
      isShown = true;
      bar.start(total, flights, payload);
    }
    bar.setTotal(total);
    bar.update(flights, payload);
  };
  return every(BAR_EVERY_MS, update, () => {
    update();
    bar.stop();
  });
}

function showLines(verb: string, sample: () => Sample | null): () => void {
  const rateOf = meter();
  let last = "";
  const update = (): void => {
    const now = sample();
    if (now === null) {
      return;
    }
    const { flights, total, counted, detail } = now;
    const text = `${verb} ${grouped(flights)} of ${grouped(total)} flights`;
    const rate = rateOf(counted);
    // Nothing is said twice: a worker may wait for days.
    if (`${text}${detail}` !== last) {
      last = `${text}${detail}`;
      process.stderr.write(`${text}${rate}${detail}\n`);
    }
  };
  return every(LINE_EVERY_MS, update, () => {});
}

/** Updates now and then; what is returned ends that. */
function every(intervalMs: number, update: () => void, end: () => void): () => void {
  const timer = setInterval(update, intervalMs);
  return () => {
    clearInterval(timer);
    end();
  };
}

/** `, 12,345/s` since the call before; nothing at the first call. */
function meter(): (count: number) => string {
  let before: { readonly count: number; readonly atMs: number } | null = null;
  return (count) => {
    const atMs = performance.now();
    const rate = before === null ? null : ((count - before.count) * 1_000) / Math.max(1, atMs - before.atMs);
    before = { count, atMs };
    return rate === null ? "" : `, ${grouped(rate)}/s`;
  };
}
