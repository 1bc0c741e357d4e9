/**
 * The packages as their users get them: built, packed, unpacked beside their dependencies, then compiled against with
 * two compilers, run, and linted as packages. Needs no network: the dependencies are links into this workspace.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const bin = (name: string) => join(root, "node_modules/.bin", name);
const ours = ["core", "testing", "redis-adapter"];
const theirs = ["rxjs", "fp-ts", "io-ts", "ioredis", "@types/node"];
const compilers = { "5.9": "node_modules/typescript-5.9/bin/tsc", "7.0": "node_modules/typescript/bin/tsc" };

let consumer: string;
const tarball = (name: string) => join(consumer, `millrace-${name}-0.0.0.tgz`);

/** Resolves to stdout; a failure rejects with everything the command said. */
async function run(command: string, args: readonly string[], cwd = consumer): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd, env: environment() })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}${stderr}`, { cause: error });
  }
}

/** vitest's own NODE_ENV and NODE_OPTIONS must not reach the programs under test. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_ENV: _env, NODE_OPTIONS: _options, ...rest } = process.env;
  return rest;
}

async function pack(): Promise<void> {
  await run(bin("tsc"), ["-b", ...ours.map((name) => `packages/${name}`)], root);
  // pnpm, because it is what publishes: npm would leave `workspace:` and `catalog:` in the manifests.
  const { packageManager } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    packageManager: string;
  };
  const args = ["--yes", "--prefer-offline", packageManager, "pack", "--pack-destination", consumer];
  await Promise.all(ours.map((name) => run("npx", args, join(root, "packages", name))));
}

async function assemble(): Promise<void> {
  const modules = join(consumer, "node_modules");
  for (const name of ours) {
    const target = join(modules, "@millrace", name);
    await mkdir(target, { recursive: true });
    await run("tar", ["-xzf", tarball(name), "--strip-components=1", "-C", target]);
  }
  await mkdir(join(modules, "@types"));
  for (const name of theirs) {
    await symlink(await realpath(join(root, "node_modules", name)), join(modules, name), "dir");
  }
  await cp(join(root, "tests/consumer/main.ts"), join(consumer, "main.ts"));
  await writeFile(join(consumer, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
}

beforeAll(async () => {
  consumer = await mkdtemp(join(tmpdir(), "millrace-consumer-"));
  await pack();
  await assemble();
}, 120_000);

afterAll(() => rm(consumer, { recursive: true, force: true }));

describe.each(Object.entries(compilers))("a strict consumer on TypeScript %s", (version, tsc) => {
  it.each([
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ])(
    "compiles with --module %s --moduleResolution %s",
    async (module, moduleResolution) => {
      const outDir = join(consumer, `dist-${version}-${moduleResolution}`);
      const options = { module, moduleResolution, outDir, target: "es2022", lib: ["es2023"], types: ["node"] };
      const strictness = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
      const project = join(consumer, `tsconfig.${version}.${moduleResolution}.json`);
      const tsconfig = { compilerOptions: { ...options, ...strictness }, files: ["main.ts"] };
      await writeFile(project, JSON.stringify(tsconfig));
      await run(process.execPath, [join(root, tsc), "-p", project]);
      expect(await readdir(outDir)).toContain("main.js");
      expect(JSON.parse(await run(process.execPath, [join(outDir, "main.js")]))).toEqual({ ok: true });
    },
    60_000,
  );
});

describe.each(ours)("the tarball of @millrace/%s", (name) => {
  it("carries no protocol that only this workspace understands", async () => {
    const manifest = await readFile(join(consumer, "node_modules/@millrace", name, "package.json"), "utf8");
    expect(manifest).not.toMatch(/"(workspace|catalog):/);
  });

  it("satisfies publint", async () => {
    await expect(run(bin("publint"), ["--strict", tarball(name)])).resolves.toContain("All good");
  }, 30_000);

  it("resolves its types everywhere that ESM does", async () => {
    await expect(run(bin("attw"), [tarball(name), "--profile", "esm-only"])).resolves.toContain(`@millrace/${name}`);
  }, 60_000);
});
