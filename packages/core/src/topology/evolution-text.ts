/** What a user is told whose pipeline does not fit what its group remembers: each difference, and what can be done. */
import type { Change, StoreDifference } from "./evolution.ts";
import { type StoreFootprint, shapeOf } from "./footprint.ts";

/** A change that is in the way, and why it is: what would be lost. */
export interface Obstacle {
  readonly change: Change;
  /** `"content"`: something is left. `"workers"`: workers of the group still add to it. */
  readonly reason: "content" | "workers";
}

const TITLES: { readonly [Kind in StoreDifference]: string } = {
  moved: "reads another topic, so its state lies elsewhere",
  lowered: "holds entries of a later version",
  raised: "holds entries of an earlier version, and has no migrate",
  unmigrated: "may still hold entries of an earlier version, and has no migrate any more",
  redefined: "holds something else",
};

/** The text of a `TopologyMismatch`. */
export function mismatchText(
  of: { readonly pipeline: string; readonly group: string },
  obstacles: readonly Obstacle[],
): string {
  const shown = obstacles.flatMap(({ change, reason }) => [
    `  ${titleOf(change)}${reason === "workers" ? " (workers of the group still run it)" : ""}`,
    `    - ${before(change)}`,
    `    + ${after(change)}`,
  ]);
  return [
    `pipeline "${of.pipeline}" does not fit what group "${of.group}" has stored:`,
    ...shown,
    "Choose one:",
    ...choices(obstacles).map((choice) => `  * ${choice}`),
  ].join("\n");
}

function titleOf(change: Change): string {
  switch (change.kind) {
    case "differs":
      return `store "${change.name}" ${TITLES[change.how]}`;
    case "dropped": {
      const renamed =
        change.renamed === null ? "" : `; it looks like a rename of "${change.name}" to "${change.renamed}"`;
      return `store "${change.name}" is not there any more${renamed}`;
    }
    case "topicDropped":
      return `topic "${change.name}", between two parts of the pipeline, is not read any more, and holds unread records`;
    case "topicResized":
      return `topic "${change.name}", between two parts of the pipeline, has another number of partitions`;
  }
}

function before(change: Change): string {
  return change.kind === "topicDropped" || change.kind === "topicResized"
    ? `${change.stored.partitions} partitions`
    : storeText({ ...change.stored, source: change.stored.source.name });
}

function after(change: Change): string {
  switch (change.kind) {
    case "differs":
      return storeText(change.now);
    case "dropped":
    case "topicDropped":
      return "nothing";
    case "topicResized":
      return `${change.partitions} partitions`;
  }
}

function storeText({ keeps, version, source }: Pick<StoreFootprint, "keeps" | "version" | "source">): string {
  return `${keeps} (version ${version}, from topic "${source}")`;
}

function choices(obstacles: readonly Obstacle[]): readonly string[] {
  const changes = obstacles.map(({ change }) => change);
  const names = (fits: (change: Change) => boolean): readonly string[] =>
    changes.filter(fits).map(({ name }) => `"${name}"`);
  return [
    ...when(names(isMigratable), (of) => `keep the state of ${of}: raise state.version, and give state.migrate`),
    ...when(names(isUnmigrated), (of) => `keep the state of ${of}: give state.migrate`),
    ...when(
      names(isDropped),
      (of) => `keep the old name, ${of}: give it to the operator that had it, with { name: … }`,
    ),
    ...when(
      names(isUnread),
      (of) => `let the version that reads ${of} read the rest, or keep the name that gave it its own`,
    ),
    ...when(names(isRedefined), (of) => `go back to the stored definition of ${of}`),
    ...when(names(isLowered), (of) => `run the version of the pipeline that wrote ${of}, or a later one`),
    ...(obstacles.some(({ reason }) => reason === "workers") ? ["stop the workers that still run it first"] : []),
    "run it under another pipeline name: a new group, which begins with the oldest records and a state of its own",
    ...when(
      names(isResettable),
      (of) => `forget that state for good: stop all workers, and start one with app.run(pipeline, { reset: [${of}] })`,
    ),
  ];
}

/** Not where entries are cut in another way: nobody can migrate that. */
function isMigratable(change: Change): boolean {
  return (
    change.kind === "differs" &&
    change.how === "redefined" &&
    shapeOf(change.stored.keeps) === shapeOf(change.now.keeps)
  );
}

function isUnmigrated(change: Change): boolean {
  return change.kind === "differs" && (change.how === "raised" || change.how === "unmigrated");
}

function isDropped({ kind }: Change): boolean {
  return kind === "dropped";
}

function isUnread({ kind }: Change): boolean {
  return kind === "topicDropped";
}

function isRedefined(change: Change): boolean {
  return change.kind === "topicResized" || (change.kind === "differs" && ["redefined", "moved"].includes(change.how));
}

function isLowered(change: Change): boolean {
  return change.kind === "differs" && change.how === "lowered";
}

function isResettable({ kind }: Change): boolean {
  return kind !== "topicResized";
}

function when(names: readonly string[], text: (names: string) => string): readonly string[] {
  return names.length === 0 ? [] : [text(names.join(", "))];
}
