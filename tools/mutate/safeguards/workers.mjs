// A worker in its group: what it does when its session is over, and how tasks come and go.

const RUNTIME = "packages/core/src/runtime";
const FAULTS = ["tests/runtime/group-faults.test.ts"];
const HAND_OVER = ["packages/core/test/runtime/hand-over.test.ts"];

/** @type {readonly import("../safeguard.mjs").Safeguard[]} */
export const workers = [
  {
    name: "own-deadline",
    keeps: "G2 G6",
    without: "A worker that reaches nobody goes on with tasks that others have by now.",
    file: `${RUNTIME}/membership.ts`,
    text: "() => this.overdue(),",
    becomes: "() => {},",
    tests: FAULTS,
    only: "session is over",
  },
  {
    name: "lost-session-drops-tasks",
    keeps: "G2 G6",
    without: "A worker whose session was over holds on to tasks that are others' by now, and never takes them anew.",
    file: `${RUNTIME}/pipeline-run.ts`,
    text: "this.handOver?.drop(reason);",
    becomes: "",
    tests: FAULTS,
    only: "commits nothing more when its session is over",
  },
  {
    name: "answers-from-before-a-loss",
    keeps: "G6",
    without:
      "The answer to a heartbeat from before a loss counts for the stay behind it, which the store does not know.",
    file: `${RUNTIME}/membership.ts`,
    text: "if (this.losses !== losses) {",
    becomes: "if (false) {",
    tests: FAULTS,
    only: "thaws tells of its new stay",
  },
  {
    name: "drain-before-release",
    keeps: "G1 G4",
    without: "A task is given back while its last commit is under way, and the next owner repeats what it holds.",
    file: `${RUNTIME}/hand-over.ts`,
    text: "const isDrained = (await slot.runner?.stop(withinMs)) ?? true;",
    becomes: "const isDrained = slot.runner?.stop(withinMs) !== null;",
    tests: ["tests/runtime/group.test.ts"],
    only: "in the middle of the work",
  },
  {
    name: "granted-and-not-wanted",
    keeps: "G6",
    without: "A task that was granted in the moment in which the target changed is nobody's until its deadline.",
    file: `${RUNTIME}/hand-over.ts`,
    text: "} else if (slot === undefined) {",
    becomes: "} else if (slot === null) {",
    tests: HAND_OVER,
    only: "granted when they were wanted no more",
  },
  {
    name: "hints-may-be-lost",
    keeps: "G6",
    without: "A worker that missed a hint never learns that a task is free.",
    file: `${RUNTIME}/take-loop.ts`,
    text: "if (answer.held.length > 0) {",
    becomes: "if (false) {",
    tests: HAND_OVER,
    only: "are looked for again",
  },
  {
    name: "fenced-is-dropped",
    keeps: "G2 G6",
    without: "A worker that finds itself fenced stops its pipeline instead of taking the task anew.",
    file: `${RUNTIME}/task-runner.ts`,
    text: 'if (error._tag === "Fenced") {',
    becomes: "if (false) {",
    tests: ["tests/runtime/group-work.test.ts"],
    only: "noticed at the next commit",
  },
  {
    name: "losses-are-looked-for",
    keeps: "G3 G6",
    without:
      "What a store has lost of a task that has nothing to do is processed again only when its next record comes.",
    file: `${RUNTIME}/loss-watch.ts`,
    text: "if (sequence < before) {",
    becomes: "if (false) {",
    tests: ["tests/mutation/losses.test.ts"],
    only: "that has nothing to do",
  },
  {
    name: "newest-claim",
    keeps: "G6",
    without: "The assignor takes an old claim for the owner: tasks move for nothing.",
    file: "packages/core/src/kernel/claims.ts",
    text: "known.generation > generation",
    becomes: "known.generation < generation",
    tests: ["packages/core/test/kernel/claims.test.ts"],
  },
];
