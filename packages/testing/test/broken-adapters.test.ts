/**
 * The suite can fail: for each promise that an adapter breaks, some test of it does. These tests run in a process of their own, which is
 * this file once more, with a variable that says so.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { describePortsConformance } from "../src/conformance.ts";
import { BROKEN, SILENT } from "./support/broken-adapters.ts";
import { memoryTarget } from "./support/memory-target.ts";
import { vitestRun } from "./support/vitest-run.ts";

const WITHIN = "MILLRACE_BROKEN_ADAPTERS";

/** Whether this is the process in which the broken adapters are tested. */
const isWithin = process.env[WITHIN] !== undefined;

const ADAPTERS = [...BROKEN, SILENT];

const headOf = (name: string): string => `an adapter that ${name} keeps the promises of the ports`;

describe.skipIf(isWithin)("the conformance suite", () => {
  let report: readonly string[] = [];

  beforeAll(async () => {
    const names = ADAPTERS.map(({ name, noticedBy }) => `${headOf(name)} ${noticedBy} (?!at the end)`);
    const said = await vitestRun({
      file: new URL(import.meta.url),
      names: `^(${names.join("|")})`,
      reporter: "tap-flat",
      env: { [WITHIN]: "1" },
    });
    report = said.split("\n");
  }, 300_000);

  /** What is said of the tests of a block: those that failed, and those that did not, without those that were skipped. */
  function outcomesOf({ name, noticedBy }: (typeof ADAPTERS)[number]): {
    readonly failed: readonly string[];
    readonly passed: readonly string[];
  } {
    const lines = report.filter((line) => line.includes(` > ${headOf(name)} > ${noticedBy} > `));
    return {
      failed: lines.filter((line) => line.startsWith("not ok")),
      passed: lines.filter((line) => /^ok (?!.*# SKIP)/.test(line)),
    };
  }

  it.each(BROKEN)("fails for an adapter that $name, in the block: $noticedBy", (adapter) => {
    const { failed, passed } = outcomesOf(adapter);
    expect(failed).not.toEqual([]);
    // An adapter that does nothing right would fail as well, and show nothing.
    expect(passed).not.toEqual([]);
  });

  it("passes for an adapter that breaks no promise, since hints may be lost, and that says so", () => {
    const { failed, passed } = outcomesOf(SILENT);
    expect(failed).toEqual([]);
    expect(passed).not.toEqual([]);
  });

  it("shows in its report why tests were skipped", async () => {
    const file = new URL("third-party.conformance.test.ts", import.meta.url);
    const said = await vitestRun({ file, names: "topics", reporter: "verbose" });
    const reasons = said
      .split("\n")
      .filter((line) => line.includes("[nothing but the adapter itself can reach this store]"));
    expect(reasons.length).toBeGreaterThanOrEqual(3);
  }, 120_000);
});

for (const { name, breaking, hints } of isWithin ? ADAPTERS : []) {
  const make = async () => ({ ...memoryTarget(breaking), ...(hints === undefined ? {} : { hints }) });
  describePortsConformance({ name: `an adapter that ${name}`, make });
}
