import { type Duration, type Limits, type Pipeline, parseDuration, type RestartOptions } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { drawnRows } from "./marbles/drawn-rows.ts";
import type { EffectMarbles } from "./marbles/effect-marbles.ts";
import { MarbleError } from "./marbles/marble-error.ts";
import { checkDiagram, checkOptions, pipelinesOf } from "./marbles/marble-options.ts";
import { type MarbleRun, PlayedMarbles } from "./marbles/marble-run.ts";
import { checkOwners } from "./marbles/owners-reached.ts";
import { parseDiagram } from "./marbles/parse.ts";
import { play } from "./marbles/played.ts";
import { ownersOf, sendsOf } from "./marbles/script-of.ts";
import type { TopicMarbles } from "./marbles/topic-marbles.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What a diagram is run with. */
export interface MarbleOptions {
  /** The topics of the rows `records`, `owner` and `commits`. Where there are several, rows name theirs. */
  readonly in: TopicMarbles | readonly TopicMarbles[];
  /** The topics of the rows `out`. Default: none. */
  readonly out?: TopicMarbles | readonly TopicMarbles[];
  /** What the row `effects` is of. Default: nothing. */
  readonly effects?: EffectMarbles<never>;
  /** How long one column is, at least 1 ms. Default `"1 ms"`, in which nothing that takes time is seen; see {@link runMarbles}. */
  readonly column?: Duration;
  /** How long a crashed worker keeps its tasks, at least 1 s. Default `"1 s"`. */
  readonly session?: Duration;
  /** Partitions of topics that declare none, 1 to 4,096. Default 1. */
  readonly partitions?: number;
  /**
   * `"reached"`: owner rows are promises: whoever is drawn has the partition by the last column in which it is. `"asked"`: they only say
   * which workers run when, for rows that were generated. Default `"reached"`.
   */
  readonly owners?: "reached" | "asked";
  /** The clock that the pipelines' handlers wait on, for one run at a time. Default: one that nobody else has. */
  readonly clock?: VirtualClock;
  /** As of `createTestDriver`: how failed tasks start again. Default: not at all; then the run rejects. */
  readonly restart?: RestartOptions;
  /** As of `createApp`: what a worker holds in memory. */
  readonly limits?: Limits;
}

const OPTIONS = [
  "in",
  "out",
  "effects",
  "column",
  "session",
  "partitions",
  "owners",
  "clock",
  "restart",
  "limits",
] satisfies (keyof MarbleOptions)[];

/**
 * Runs pipelines by a marble diagram, in memory and on a virtual clock, with as many workers as its owner rows draw.
 *
 * ```text
 * records p0  -a---c-d-----------------f----
 * owner   p0  A-----!-B---------------------
 * effects     -a---c---------(cd)------f----
 * out     p0  ---a-------------(cd)------f--
 * commits p0  ---1-------------3---------4--
 * ```
 *
 * A character is a column, a column is `column` of virtual time. `-`: nothing; a letter or digit: a value; `(ab)`: several in one column,
 * over as many as it has characters, as in RxJS; `[ab]`: the same in one column, with blanks beside it in the other rows. All rows
 * begin in the same place. A label may name a topic and a partition: `out totals p1`; without a partition a row is about all of them.
 *
 * - **records**: what is sent. `|`: the topic ends.
 * - **owner**: which worker is to have the partition, from this column on. Another letter: it is handed over gracefully, the one before
 *   leaves unless another row still draws it. `!`: the owner is killed. `|`: it leaves, and nobody is to follow. `(!A)`: it is killed
 *   and started again under its name. In each column those workers run that some row draws, no others. Owners drawn in column 0 have
 *   their partitions when the diagram begins. Without a row, one worker `A` has everything.
 *
 *   **Who gets what is decided by the group, as in production**: evenly, and so that little moves. With one partition, or one worker,
 *   every row comes true, given time: a hand-over takes some 20 to 150 ms, a take-over after a crash the rest of the session, so columns
 *   of `"100 ms"` or `"1 s"` show them. Otherwise draw what the group does. A row comes true when whoever it draws has the partition in
 *   the last column in which it does; else the run fails with `OwnerNotReached`, and shows who had it.
 * - **out**: what is committed to topics, when it was committed.
 * - **effects**: what was recorded by {@link effectMarbles}, when it happened.
 * - **commits**: how many records of the partition are processed and committed, in each column in which that has changed, as of the
 *   column's end: 1 to 9, then a (10) to z, A to Z (61).
 *
 * In one column workers change first, then records are sent, row by row. Time passes exactly as drawn: nothing is waited for, so draw
 * the row long enough. Handlers that wait should wait on `clock`.
 *
 * Rejects with `MarbleError` `InvalidMarbles` (a caret is under the column) or `OwnerNotReached`, with `TestDriverError` for other options,
 * and with what a worker has failed with.
 *
 * @example
 * ```ts
 * const run = await runMarbles(copy, diagram, { column: "100 ms", in: marblesOf(letters), out: marblesOf(copies) });
 * run.expectOut().exactly();
 * run.expectCommits().exactly();
 * ```
 */
export async function runMarbles(
  pipelines: Pipeline | readonly Pipeline[],
  diagram: string,
  options: MarbleOptions,
): Promise<MarbleRun> {
  checkDiagram(diagram);
  checkOptions(options, OPTIONS);
  const { partitions = 1, session = "1 s", owners = "reached", clock, restart, limits } = options;
  const columnMs = columnOf(options.column ?? "1 ms");
  const inputs = listOf(options.in);
  const outputs = listOf(options.out ?? []);
  const running = pipelinesOf(pipelines);
  checkRead(inputs, running);
  const topics = { inputs, outputs, partitions };
  const parsed = parseDiagram(diagram, { topics: [...inputs, ...outputs].map(({ name }) => name) });
  const planned = ownersOf(parsed, topics);
  const sends = sendsOf(parsed, topics);
  const hasEffects = options.effects !== undefined;
  const drawn = drawnRows(parsed, { topics, hasEffects });
  const played = await play({
    pipelines: running,
    columns: parsed.diagram.columns,
    columnMs,
    sends,
    steps: planned.plan.steps,
    inputs: inputs.map(({ name }) => name),
    outputs,
    effects: options.effects ?? null,
    stage: {
      partitions,
      session,
      clock,
      ...(restart === undefined ? {} : { restart }),
      ...(limits === undefined ? {} : { limits }),
    },
  });
  const run = new PlayedMarbles({ parsed, drawn, played, topics, columnMs, hasEffects });
  if (owners === "reached") {
    const { columns, owners: actual } = run;
    const around = parsed.diagram.rows.filter(({ kind }) => kind === "records");
    checkOwners({ owners: planned, played, columns, columnMs, around, actual });
  }
  return run;
}

function listOf(topics: TopicMarbles | readonly TopicMarbles[]): readonly TopicMarbles[] {
  return "name" in topics ? [topics] : topics;
}

/** Rows about a topic that nobody reads would never come true. */
function checkRead(inputs: readonly TopicMarbles[], pipelines: readonly Pipeline[]): void {
  const nodes = pipelines.flatMap((each) => each.describe().nodes);
  const read = new Set(nodes.filter(({ kind }) => kind === "stream").map(({ name }) => name));
  const unread = inputs.find(({ name }) => !read.has(name));
  if (unread !== undefined) {
    const message = `runMarbles: no pipeline reads topic "${unread.name}": they read ${[...read].join(", ")}`;
    throw new MarbleError("InvalidMarbles", message);
  }
}

function columnOf(column: Duration): number {
  const parsed = parseDuration(column);
  const ms = E.isRight(parsed) ? parsed.right : 0;
  if (ms < 1) {
    const why = E.isLeft(parsed) ? parsed.left.message : "a column is at least 1 ms";
    throw new MarbleError("InvalidMarbles", `runMarbles: column: ${why}`);
  }
  return ms;
}
