import {
  compareExactly,
  comparePerKey,
  compareValues,
  type Difference,
  type Repeats,
  type SeenEvent,
} from "./compare.ts";
import { labelOf, type MarbleRow } from "./diagram.ts";
import { type Comparable, type ComparedKind, type DrawnRow, rowsToCompare } from "./drawn-rows.ts";
import type { ParsedDiagram } from "./parse.ts";
import { type Played, signOf } from "./played.ts";
import { printDiagram } from "./print.ts";
import { reportOf } from "./report.ts";
import { UNKNOWN } from "./topic-marbles.ts";

/** Compares what came out with what was drawn. Each throws `MarbleError` `MarblesDiffer`, with both diagrams. */
export interface MarbleExpectation {
  /** The same values in the same columns, and nothing else; in the same order, unless the row is about several partitions. */
  exactly(): void;
  /**
   * Nothing is lost, and nothing else came: every value that is drawn came, at whatever time, at least as often as it is drawn, and no
   * other did. Judge the order as well with `.atLeastOnce().perKeyOrder()`; then a value counts where it came first.
   */
  atLeastOnce(): Pick<MarbleExpectation, "perKeyOrder">;
  /** Each value came as often as it is drawn, at whatever time; those of one key in the order in which they are drawn. */
  perKeyOrder(): void;
}

/** What came of a diagram. */
export interface MarbleRun {
  /** How it went, as a diagram: the records, who owned what, and every row that was drawn or could have been. For people, and to paste. */
  readonly diagram: string;
  /**
   * Compares the values that came out. `rows`: one row or several, `"--a-b"` or with labels; default those of the diagram. Throws
   * `InvalidMarbles` where there are none.
   */
  expectOut(rows?: string): MarbleExpectation;
  /** Compares side effects. As for {@link expectOut}. */
  expectEffects(rows?: string): MarbleExpectation;
  /** Compares how many records were committed when. As for {@link expectOut}. */
  expectCommits(rows?: string): Pick<MarbleExpectation, "exactly">;
}

/** What a run is made of. */
export interface RunParts extends Comparable {
  readonly parsed: ParsedDiagram;
  readonly drawn: readonly DrawnRow[];
  readonly played: Played;
  readonly columnMs: number;
}

/** Values without a letter that a message shows. */
const SHOWN_VALUES = 5;

/** A diagram that was played. */
export class PlayedMarbles implements MarbleRun {
  private readonly parts: RunParts;

  constructor(parts: RunParts) {
    this.parts = parts;
  }

  get diagram(): string {
    const { drawn, topics, hasEffects } = this.parts;
    const undrawn = topics.outputs
      .filter(({ name }) => !drawn.some((row) => row.topicName === name && row.kind === "out"))
      .map(({ name, partitions }) => ({
        kind: "out" as const,
        topic: topics.outputs.length > 1 ? name : null,
        partition: null,
        topicName: name,
        partitions: partitions ?? topics.partitions,
        events: [],
      }));
    const effects = {
      kind: "effects" as const,
      topic: null,
      partition: null,
      topicName: null,
      partitions: 1,
      events: [],
    };
    const rows = [
      ...drawn,
      ...undrawn,
      ...(hasEffects && !drawn.some(({ kind }) => kind === "effects") ? [effects] : []),
    ];
    return printDiagram({ columns: this.columns, rows: [...this.around, ...rows.map((row) => this.actual(row))] });
  }

  expectOut(rows?: string): MarbleExpectation {
    return this.expectation("out", rows);
  }

  expectEffects(rows?: string): MarbleExpectation {
    return this.expectation("effects", rows);
  }

  expectCommits(rows?: string): Pick<MarbleExpectation, "exactly"> {
    return this.expectation("commits", rows);
  }

  /** What led to what came out: the records that were sent, and who owned what. */
  get around(): readonly MarbleRow[] {
    const { parsed } = this.parts;
    return [...parsed.diagram.rows.filter(({ kind }) => kind === "records"), ...this.owners];
  }

  /** Who owned the partitions, as it was. */
  get owners(): readonly MarbleRow[] {
    const { played, topics, parsed } = this.parts;
    if (!parsed.diagram.rows.some(({ kind }) => kind === "owner")) {
      return [];
    }
    return [...played.owners].map(([task, events]) => {
      const slash = task.lastIndexOf("/");
      const topic = topics.inputs.length > 1 ? task.slice(0, slash) : null;
      return { kind: "owner", topic, partition: Number(task.slice(slash + 1)), events };
    });
  }

  get columns(): number {
    return this.parts.parsed.diagram.columns;
  }

  private expectation(kind: ComparedKind, text: string | undefined): MarbleExpectation {
    const rows = rowsToCompare(text, kind, { ...this.parts, columns: this.columns });
    const perKeyOrder = (repeats: Repeats): void => {
      const how = repeats === "legal" ? "not as drawn, repeats apart" : "not as drawn for each key";
      this.compare(rows, how, (row) => comparePerKey(row.events, this.seen(row), repeats));
    };
    return {
      exactly: () => {
        this.compare(rows, "not exactly as drawn", (row) => {
          return compareExactly(row.events, this.seen(row), { isMerged: isMerged(row) });
        });
      },
      atLeastOnce: () => {
        this.compare(rows, "not all that is drawn, or more than that", (row) => {
          return compareValues(row.events, this.seen(row), "legal");
        });
        return { perKeyOrder: () => perKeyOrder("legal") };
      },
      perKeyOrder: () => perKeyOrder("illegal"),
    };
  }

  private compare(rows: readonly DrawnRow[], how: string, differenceOf: (row: DrawnRow) => Difference | null): void {
    for (const row of rows) {
      const difference = differenceOf(row);
      if (difference !== null) {
        const { column, message } = difference;
        throw reportOf({
          tag: "MarblesDiffer",
          title: `"${labelOf(row)}" is ${how}: ${this.where(column)}${message}`,
          around: this.around,
          expected: [row],
          actual: [this.actual(row)],
          columns: this.columns,
          column,
          notes: this.unknownIn(row),
        });
      }
    }
  }

  private where(column: number): string {
    return `in column ${column} (${column * this.parts.columnMs} ms) `;
  }

  private actual(row: DrawnRow): MarbleRow {
    const { kind, topic, partition } = row;
    return { kind, topic, partition, events: this.seen(row) };
  }

  /** What came of what a row is about, within the diagram. */
  private seen(row: DrawnRow): readonly SeenEvent[] {
    return this.allSeen(row).filter(({ column }) => column < this.columns);
  }

  private allSeen({ kind, topicName, partition }: DrawnRow): readonly SeenEvent[] {
    const { played, columnMs } = this.parts;
    const columnOf = (atMs: number): number => Math.floor((atMs - played.startMs) / columnMs);
    switch (kind) {
      case "out":
        return (played.outputs.get(topicName ?? "") ?? [])
          .filter((read) => partition === null || read.partition === partition)
          .map(({ atMs, symbol, key }) => ({ column: columnOf(atMs), symbol, key }));
      case "effects":
        return played.effects.map(({ atMs, symbol, key }) => ({ column: columnOf(atMs), symbol, key }));
      case "commits":
        return this.commits(topicName ?? "", partition);
    }
  }

  private commits(topic: string, partition: number | null): readonly SeenEvent[] {
    const counts = new Map<string, number>();
    const changes = [...this.parts.played.commits]
      .filter(([task]) => (partition === null ? task.startsWith(`${topic}/`) : task === `${topic}/${partition}`))
      .flatMap(([task, commits]) => commits.map((commit) => ({ task, ...commit })))
      .toSorted((a, b) => a.column - b.column);
    const totals = new Map<number, number>();
    for (const { task, column, records } of changes) {
      counts.set(task, records);
      totals.set(
        column,
        [...counts.values()].reduce((sum, count) => sum + count, 0),
      );
    }
    return [...totals].map(([column, total]) => ({ column, symbol: signOf(total), key: "" }));
  }

  /** Values that came out and that no letter stands for. */
  private unknownIn({ kind, topicName, partition }: DrawnRow): readonly string[] {
    const { played } = this.parts;
    const outputs = (played.outputs.get(topicName ?? "") ?? []).filter(
      (read) => (partition ?? read.partition) === read.partition,
    );
    const values = (kind === "effects" ? played.effects : outputs).filter(({ symbol }) => symbol === UNKNOWN);
    const shown = values
      .slice(0, SHOWN_VALUES)
      .map(({ value }) => `${UNKNOWN} is a value without a letter: ${textOf(value)}`);
    return values.length > shown.length ? [...shown, `… and ${values.length - shown.length} more`] : shown;
  }
}

function isMerged({ partition, partitions }: DrawnRow): boolean {
  return partition === null && partitions > 1;
}

/** A value of a test, as people read it. */
function textOf(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
