/** The gate that checks the tests is checked itself, on a project of its own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judge, staleEntries } from "../../tools/mutate/gate.mjs";
import { Runner } from "../../tools/mutate/runner.mjs";
import type { Safeguard } from "../../tools/mutate/safeguard.mjs";
import { safeguards } from "../../tools/mutate/safeguards.mjs";
import { verdictOf } from "../../tools/mutate/verdict.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Refuses negative numbers; counts calls, which nobody looks at. */
const SOURCE = `export let calls: number = 0;
export function root(n: number): number {
  calls += 1;
  if (n < 0) {
    throw new RangeError("negative");
  }
  return Math.sqrt(n);
}
`;

const TESTS = `import { expect, it } from "vitest";
import { root } from "./root.ts";
it("is the root", () => expect(root(4)).toBe(2));
it("is refused below zero", () => expect(() => root(-1)).toThrow("negative"));
it("comes in time", () => expect(Number.isNaN(root(9))).toBe(false));
`;

const guard = (name: string, rest: Partial<Safeguard> = {}): Safeguard => ({
  name,
  keeps: "G3",
  without: "It is gone.",
  file: "root.ts",
  text: "if (n < 0) {",
  becomes: "if (false) {",
  tests: ["root.test.ts"],
  ...rest,
});

const CALLS = "calls += 1;";

/** Safeguards of the project, and what the gate is to say of each. */
const JUDGED: readonly (readonly [Safeguard, string])[] = [
  [guard("noticed"), "by: is refused below zero"],
  [guard("noticed-by-one", { only: "below zero" }), "by: is refused below zero"],
  [guard("not-by-these", { only: "is the root" }), "nobody notices (1 tests passed)"],
  [guard("nobody-notices", { text: CALLS, becomes: "" }), "nobody notices (3 tests passed)"],
  [guard("no-test-of-this-name", { only: "above zero" }), "no test of these ran"],
  [guard("broken-syntax", { becomes: "if (false {" }), "root.test.ts was not collected"],
  [guard("broken-load", { text: ": number = 0;", becomes: ": number = (null as never)();" }), "was not collected"],
  [guard("broken-name", { text: CALLS, becomes: "count += 1;" }), "only broken code: ReferenceError"],
  [guard("broken-type", { text: CALLS, becomes: "(calls as never)();" }), "only broken code: TypeError"],
  [guard("not-loaded", { file: "other.ts", text: "1", becomes: "2" }), "the tests do not load its source"],
];

const HANGING = guard("hangs", { text: CALLS, becomes: "for (;;) {}" });

let directory: string;
let runner: Runner;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "millrace-gate-"));
  const plugin = JSON.stringify(join(ROOT, "tools/mutate/plugin.mjs"));
  const list = JSON.stringify([...JUDGED.map(([safeguard]) => safeguard), HANGING]);
  writeFileSync(join(directory, "root.ts"), SOURCE);
  writeFileSync(join(directory, "other.ts"), "export const one = 1;\n");
  writeFileSync(join(directory, "root.test.ts"), TESTS);
  writeFileSync(join(directory, "failing.test.ts"), TESTS.replace("toBe(2)", "toBe(3)"));
  writeFileSync(
    join(directory, "vitest.config.mjs"),
    `import { withoutSafeguard } from ${plugin};\nexport default { plugins: [withoutSafeguard(${list}, import.meta.url)] };\n`,
  );
  symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"), "junction");
  runner = new Runner(directory);
});
afterAll(() => {
  runner.close();
  rmSync(directory, { recursive: true, force: true });
});

describe("the gate", () => {
  it("believes tests that ran and failed by what they promise, and nothing else", { timeout: 60_000 }, async () => {
    const said: string[] = [];
    const problem = await judge(
      JUDGED.map(([safeguard]) => safeguard),
      {
        runners: [runner],
        found: ({ safeguard: { name }, by, problem: own }) => said.push(`${name} ${own ?? `by: ${by}`}`),
      },
    );
    expect(problem).toBeNull();
    expect(said).toEqual(
      JUDGED.map(
        ([{ name }, expected]) => expect.stringMatching(new RegExp(`^${name} .*${escaped(expected)}`)) as string,
      ),
    );
  });

  it("tells of tests that fail as they are: they would notice anything", { timeout: 60_000 }, async () => {
    const failing = guard("noticed", { tests: ["failing.test.ts"] });
    expect(await judge([failing], { runners: [runner], found: () => {} })).toMatch(
      /^fails with all safeguards in place: is the root/,
    );
  });

  it("ends a run that hangs, and goes on with the next", { timeout: 60_000 }, async () => {
    const { name, file, tests } = HANGING;
    const job = { tests: tests.map((test) => ({ file: test, only: null })), without: { name, file } };
    expect(await runner.run(job, 2_000)).toEqual({ report: null, isLoaded: false });
    expect((await runner.run({ ...job, without: null })).report?.files[0]?.tests).toHaveLength(3);
  });

  it("finds entries that do not fit their source any more", () => {
    const entries = [
      guard("gone", { text: "if (n < 1) {" }),
      guard("twice", { text: "n: number", becomes: "n: never" }),
      guard("same", { becomes: "if (n < 0) {" }),
      guard("no-source", { file: "square.ts" }),
      guard("no-test", { tests: ["root.test.ts", "square.test.ts"] }),
      guard("fits"),
      guard("fits"),
    ];
    expect(staleEntries([...entries, guard("empty", { text: "" })], directory)).toEqual([
      "fits is there twice",
      "gone is stale: its text is 0 times in root.ts, not once",
      "same is stale: its text is replaced by itself",
      "no-source is stale: square.ts does not exist",
      "no-test is stale: square.test.ts does not exist",
      "empty is stale: its text is empty",
    ]);
  });

  it("does not take a test that waited in vain for one that has noticed", () => {
    const errors = ["Error: Test timed out in 5000ms.\nIf this is a long-running test, …"];
    const files = [{ file: "t", problems: [], tests: [{ name: "waits", state: "failed" as const, errors }] }];
    const run = { report: { files }, tests: ["t"], isLoaded: true };
    expect(verdictOf(run)).toEqual({ problem: expect.stringMatching(/did not end: waits/) });
  });

  it("does not take a script that Redis cannot run for a promise that is broken", () => {
    const errors = ["MillraceError: committing: ERR user_script:12: attempt to index a nil value"];
    const files = [{ file: "t", problems: [], tests: [{ name: "commits", state: "failed" as const, errors }] }];
    const verdict = verdictOf({ report: { files }, tests: ["t"], isLoaded: true });
    expect(verdict).toEqual({ problem: expect.stringMatching(/^only broken code: .*attempt to index/) });
  });

  it("has nothing to say of a run that did not come to its end", () => {
    expect(verdictOf({ report: null, tests: [], isLoaded: true })).toEqual({
      problem: "the run did not come to its end",
    });
  });
});

describe("the list of safeguards", () => {
  it("fits the sources", () => {
    expect(staleEntries(safeguards, ROOT)).toEqual([]);
  });

  it("has every line that the scripts of Redis mark as a guard", () => {
    const scripts = "packages/redis-adapter/src/scripts";
    const lines = readdirSync(join(ROOT, scripts)).flatMap((name) =>
      readFileSync(join(ROOT, scripts, name), "utf8")
        .split("\n")
        .filter((line) => line.includes("-- guard: "))
        .map((line) => ({ file: `${scripts}/${name}`, line })),
    );
    expect(lines.length).toBeGreaterThan(30);
    const isListed = ({ file, line }: { readonly file: string; readonly line: string }): boolean =>
      safeguards.some((safeguard) => safeguard.file === file && line.includes(safeguard.text));
    expect(lines.filter((each) => !isListed(each))).toEqual([]);
  });

  it("says of each what it keeps, and what happens without it", () => {
    for (const { name, keeps, without } of safeguards) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(keeps).toMatch(/^G[1-8]( G[1-8])*$/);
      expect(without).toMatch(/^[A-Z].*\.$/);
    }
    const kept = new Set(safeguards.flatMap(({ keeps }) => keeps.split(" ")));
    expect([...kept].toSorted()).toEqual(["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"]);
  });
});

function escaped(text: string): string {
  return text.replace(/[()]/g, "\\$&");
}
