import { type Duration, MillraceError } from "@millrace/core";
import { isSign } from "../marbles/diagram.ts";
import type { FaultSchedule, WorkerFault } from "./faults.ts";
import { durationMs } from "./options.ts";

/** The row while it is drawn. */
interface Drawing {
  readonly row: string;
  readonly columns: number;
  readonly running: ReadonlySet<string>;
  /** `null`: nobody. */
  readonly owner: string | null;
}

/**
 * A schedule as an owner row of marbles: its first worker owns the partition, until it crashes (`!`) or stops; then the first of the
 * others that run, or nobody (`|` after a stop) until one starts. What happens to workers that own nothing is not drawn. What finds
 * its column taken is drawn in the next one.
 *
 * `column`: how long one is, above 0, as given to `runMarbles`. `columns`: how long the row is; leave enough behind the last fault for
 * a take-over, which takes a session after a crash.
 *
 * Throws `InvalidOption` for a worker whose name is not one letter or digit, for faults that no row can draw, and
 * for a row that is too short.
 */
export function ownerRow(
  schedule: FaultSchedule<"crash" | "stop">,
  { column, columns }: { readonly column: Duration; readonly columns: number },
): string {
  const columnMs = durationMs("ownerRow: column", column);
  const odd = schedule.workers.find((name) => !isSign(name));
  if (columnMs === 0 || odd !== undefined) {
    const message = odd === undefined ? "column must be above 0 ms" : `a worker is one letter or digit, not "${odd}"`;
    throw new MillraceError("InvalidOption", `ownerRow: ${message}`);
  }
  const owner = schedule.workers[0] ?? null;
  const begun: Drawing = { row: owner ?? "-", columns, running: new Set(schedule.workers), owner };
  let drawing = begun;
  for (const fault of schedule.faults) {
    drawing = drawFault(drawing, fault, columnMs);
  }
  return drawing.row.padEnd(columns, "-");
}

function drawFault(
  drawing: Drawing,
  { atMs, worker, action }: WorkerFault<"crash" | "stop">,
  columnMs: number,
): Drawing {
  const running = new Set(drawing.running);
  switch (action) {
    case "start":
      running.add(worker);
      break;
    case "crash":
    case "stop":
      running.delete(worker);
      break;
    default:
      throw new MillraceError("InvalidOption", `ownerRow: a row of owners cannot draw "${String(action)}"`);
  }
  const isOwned = drawing.owner !== null && running.has(drawing.owner);
  if (isOwned) {
    return { ...drawing, running };
  }
  const [owner = null] = running;
  const signs = `${action === "crash" ? "!" : ""}${owner ?? (action === "stop" ? "|" : "")}`;
  return { ...drawing, running, owner, row: drawn(drawing, Math.floor(atMs / columnMs), signs) };
}

/** The row with signs from a column on, or where it is free. */
function drawn({ row, columns }: Drawing, column: number, signs: string): string {
  const longer = row.padEnd(column, "-") + signs;
  if (longer.length > columns) {
    throw new MillraceError("InvalidOption", `ownerRow: ${columns} columns are too few for these faults`);
  }
  return longer;
}
