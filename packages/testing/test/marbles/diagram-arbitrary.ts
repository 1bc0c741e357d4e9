import * as fc from "fast-check";
import { type Diagram, type MarbleRow, ROW_KINDS, SIGNS } from "../../src/marbles/diagram.ts";

/** Any diagram that can be drawn: some rows of some columns, with groups of every size. */
export const anyDiagram: fc.Arbitrary<Diagram> = fc
  .tuple(
    fc.integer({ min: 1, max: 30 }),
    fc.uniqueArray(fc.tuple(fc.constantFrom(...ROW_KINDS), fc.option(fc.nat(12))), {
      minLength: 1,
      maxLength: 5,
      selector: (name) => name.join(),
    }),
  )
  .chain(([columns, names]) =>
    fc.record({ columns: fc.constant(columns), rows: fc.tuple(...names.map((name) => anyRow(name, columns))) }),
  );

function anyRow([kind, partition]: [MarbleRow["kind"], number | null], columns: number): fc.Arbitrary<MarbleRow> {
  const event = fc.record({ column: fc.nat(columns - 1), symbol: fc.constantFrom(...SIGNS.split("")) });
  return fc
    .array(event, { maxLength: 20 })
    .map((events) => ({ kind, topic: null, partition, events: events.toSorted((a, b) => a.column - b.column) }));
}
