/**
 * The driver as users of other test runners get it: the built packages, beside their dependencies and nothing else. An import of
 * vitest, or of anything else that is not declared, would fail here.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const PROGRAMS = fileURLToPath(new URL("./programs/", import.meta.url));
const TIMEOUT_MS = 120_000;

let dir: string;

beforeAll(async () => {
  await promisify(execFile)(
    process.execPath,
    [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", "packages/testing"],
    {
      cwd: ROOT,
    },
  );
  dir = await mkdtemp(join(tmpdir(), "millrace-runners-"));
  const modules = join(dir, "node_modules");
  for (const name of ["core", "testing"]) {
    const target = join(modules, "@millrace", name);
    await mkdir(target, { recursive: true });
    await cp(join(ROOT, "packages", name, "dist"), join(target, "dist"), { recursive: true });
    await cp(join(ROOT, "packages", name, "package.json"), join(target, "package.json"));
  }
  for (const name of ["rxjs", "fp-ts", "io-ts"]) {
    await symlink(await realpath(join(ROOT, "node_modules", name)), join(modules, name), "dir");
  }
  await cp(PROGRAMS, dir, { recursive: true });
  await writeFile(join(dir, "package.json"), JSON.stringify({ name: "runners", type: "module" }));
}, TIMEOUT_MS);

afterAll(() => rm(dir, { recursive: true, force: true }));

/** Resolves to what a program has written; rejects where it fails. */
async function run(...args: readonly string[]): Promise<string> {
  // Without what vitest, and a runner around it, tell their own children.
  const { NODE_ENV: _env, NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: dir, env, timeout: TIMEOUT_MS });
  return stdout;
}

it(
  "works in node:test",
  async () => {
    const output = await run("--test", "--test-reporter=tap", "with-node-test.mjs");
    expect(output).toMatch(/^# pass 3$/m);
    expect(output).toMatch(/^# fail 0$/m);
  },
  TIMEOUT_MS,
);

it(
  "works without a runner, and keeps no process alive",
  async () => {
    expect(await run("without-runner.mjs")).toBe(
      "ok the end of the input closes the last minute\nok a driver that nobody closes keeps no process alive\n",
    );
  },
  TIMEOUT_MS,
);

it(
  "imports nothing but what it declares: no test runner, no fast-check",
  async () => {
    const program = `
    import { register } from "node:module";
    register("data:text/javascript," + encodeURIComponent(\`
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context);
        if (!specifier.startsWith(".") && !specifier.startsWith("file:")) process._rawDebug(specifier);
        return found;
      }\`));
    await import("@millrace/testing");
  `;
    await writeFile(join(dir, "imports.mjs"), program);
    const { stderr } = await promisify(execFile)(process.execPath, ["imports.mjs"], { cwd: dir, timeout: TIMEOUT_MS });
    const packages = new Set(
      stderr
        .split("\n")
        .filter((specifier) => specifier !== "" && !specifier.startsWith("node:"))
        .map((specifier) =>
          specifier
            .split("/")
            .slice(0, specifier.startsWith("@") ? 2 : 1)
            .join("/"),
        ),
    );
    const manifest = JSON.parse(await readFile(join(ROOT, "packages/testing/package.json"), "utf8")) as {
      readonly peerDependencies: Readonly<Record<string, string>>;
    };
    expect([...packages].toSorted()).toEqual(["@millrace/core", "@millrace/testing", "fp-ts", "rxjs"]);
    expect(Object.keys(manifest.peerDependencies)).toEqual(expect.arrayContaining(["fp-ts", "rxjs"]));
  },
  TIMEOUT_MS,
);
