import { describe, expect, it } from "vitest";
import type { Change } from "../../src/topology/evolution.ts";
import { mismatchText } from "../../src/topology/evolution-text.ts";
import { TOPIC } from "../support/any-topology.ts";

const STORED = { source: TOPIC, keeps: "tumbling 60000 ms: n count", version: 2, oldest: 1, since: 0 };
const NOW = { source: "orders", keeps: "tumbling 60000 ms: n sum", version: 2, migrates: false };

function text(...changes: readonly Change[]): string {
  return mismatchText(
    { pipeline: "p", group: "app.p" },
    changes.map((change) => ({ change, reason: "content" as const })),
  );
}

describe("the text of a mismatch", () => {
  it("shows each difference, the stored and the new definition, and what can be done", () => {
    expect(
      text(
        { kind: "dropped", name: "hourly", stored: STORED, renamed: "by-hour" },
        { kind: "differs", how: "redefined", name: "totals", stored: STORED, now: NOW },
      ),
    ).toMatchInlineSnapshot(`
      "pipeline "p" does not fit what group "app.p" has stored:
        store "hourly" is not there any more; it looks like a rename of "hourly" to "by-hour"
          - tumbling 60000 ms: n count (version 2, from topic "orders")
          + nothing
        store "totals" holds something else
          - tumbling 60000 ms: n count (version 2, from topic "orders")
          + tumbling 60000 ms: n sum (version 2, from topic "orders")
      Choose one:
        * keep the state of "totals": raise state.version, and give state.migrate
        * keep the old name, "hourly": give it to the operator that had it, with { name: … }
        * go back to the stored definition of "totals"
        * run it under another pipeline name: a new group, which begins with the oldest records and a state of its own
        * forget that state for good: stop all workers, and start one with app.run(pipeline, { reset: ["hourly", "totals"] })"
    `);
  });

  it("offers to migrate only where that helps", () => {
    const wider = { ...NOW, keeps: "tumbling 90000 ms: n sum" };
    expect(text({ kind: "differs", how: "redefined", name: "totals", stored: STORED, now: NOW })).toContain("migrate");
    expect(text({ kind: "differs", how: "redefined", name: "totals", stored: STORED, now: wider })).not.toContain(
      "migrate",
    );
    expect(text({ kind: "differs", how: "moved", name: "totals", stored: STORED, now: NOW })).not.toContain("migrate");
    expect(text({ kind: "differs", how: "lowered", name: "totals", stored: STORED, now: NOW })).toMatch(
      /run the version of the pipeline that wrote "totals", or a later one/,
    );
    expect(text({ kind: "differs", how: "raised", name: "totals", stored: STORED, now: NOW })).toMatch(
      /keep the state of "totals": give state.migrate/,
    );
  });

  it("speaks of the topics between the parts of a pipeline", () => {
    const name = "app.p.by-region.repartition";
    expect(
      text(
        { kind: "topicDropped", name, stored: TOPIC },
        { kind: "topicResized", name: "other", stored: TOPIC, partitions: 8 },
      ),
    ).toMatchInlineSnapshot(`
      "pipeline "p" does not fit what group "app.p" has stored:
        topic "app.p.by-region.repartition", between two parts of the pipeline, is not read any more, and holds unread records
          - 4 partitions
          + nothing
        topic "other", between two parts of the pipeline, has another number of partitions
          - 4 partitions
          + 8 partitions
      Choose one:
        * let the version that reads "app.p.by-region.repartition" read the rest, or keep the name that gave it its own
        * go back to the stored definition of "other"
        * run it under another pipeline name: a new group, which begins with the oldest records and a state of its own
        * forget that state for good: stop all workers, and start one with app.run(pipeline, { reset: ["app.p.by-region.repartition"] })"
    `);
  });

  it("says where it is the workers that are in the way", () => {
    const change: Change = { kind: "dropped", name: "totals", stored: STORED, renamed: null };
    const shown = mismatchText({ pipeline: "p", group: "app.p" }, [{ change, reason: "workers" }]);
    expect(shown).toContain('store "totals" is not there any more (workers of the group still run it)');
    expect(shown).toContain("stop the workers that still run it first");
  });
});
