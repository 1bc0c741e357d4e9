import { MillraceError } from "../errors.ts";
import { describeNodes, type PlanDescription, toMermaid, toText } from "./describe.ts";
import type { PlanNode } from "./node.ts";
import type { Stream, Sunk } from "./stream.ts";
import { checkName } from "./topic.ts";
import { findProblems } from "./validate.ts";

/** A named, checked plan that an app can run. A running pipeline is the consumer group `<app>.<pipeline>`. */
export interface Pipeline {
  readonly name: string;
  /** @internal The sinks. */
  readonly ends: readonly PlanNode[];
  /** @internal Which copy of this module made it. */
  readonly madeBy: symbol;
  /** The plan as data. */
  describe(): PlanDescription;
  /** The plan as text, a node a line. */
  toText(): string;
  /** The plan as a Mermaid flow chart. */
  toMermaid(): string;
}

/** Another copy of this module has another one. */
const THIS_COPY = Symbol("@millrace/core");

/**
 * Throws `InvalidPipeline` for a pipeline that another copy of this package made: its operators would tell that copy what they do,
 * and all that they write would be lost without a word.
 */
export function refuseForeignCopy(plan: Pipeline): void {
  const { name, madeBy } = plan;
  if (madeBy !== THIS_COPY) {
    throw new MillraceError(
      "InvalidPipeline",
      `pipeline "${name}" was made by another copy of @millrace/core than the app: a program must have one. ` +
        "Find them with npm ls @millrace/core",
    );
  }
}

/**
 * Names streams that end in sinks, so that an app can run them together. Streams that share a beginning share its work.
 *
 * Throws `MillraceError` `InvalidName`, or `InvalidPipeline` with every problem that was found, each naming its node.
 */
export function pipeline(name: string, ...ends: readonly [Stream<Sunk>, ...Stream<Sunk>[]]): Pipeline {
  checkName("pipeline", name);
  const nodes = ends.map((end) => end.node);
  const problems = findProblems(nodes);
  if (problems.length > 0) {
    const list = problems.map((problem) => `\n  - ${problem}`).join("");
    throw new MillraceError("InvalidPipeline", `pipeline "${name}" cannot run:${list}`);
  }
  return {
    name,
    ends: nodes,
    madeBy: THIS_COPY,
    describe: () => describeNodes(nodes),
    toText: () => toText(describeNodes(nodes)),
    toMermaid: () => toMermaid(describeNodes(nodes)),
  };
}
