// Installs the workspace with the pinned pnpm, so that a machine with only node and npm can run any npm script.
// Everything said here, by pnpm too, goes to stderr: `npm start --silent -- --json` owns stdout.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
// A content hash rather than a time: `git checkout` touches the lockfile, and pnpm leaves its own files
// untouched when it finds nothing to do.
const stamp = new URL("node_modules/.installed-lockfile", root);

/** @param {URL} url */
const textOf = (url) => (existsSync(url) ? readFileSync(url, "utf8") : "");

const { packageManager } = JSON.parse(textOf(new URL("package.json", root)));
const wanted = createHash("sha256")
  .update(packageManager + textOf(new URL("pnpm-lock.yaml", root)))
  .digest("hex");

if (textOf(stamp) !== wanted) {
  process.stderr.write(`Installing with ${packageManager} (first run, or the lockfile changed) …\n`);
  // NODE_ENV=production would leave out the compiler; --silent, handed down by npm, would hide npx's reason.
  const { NODE_ENV: _, ...env } = process.env;
  const { status, error } = spawnSync("npx", ["--yes", packageManager, "install", "--frozen-lockfile"], {
    cwd: fileURLToPath(root),
    env: { ...env, npm_config_loglevel: "warn" },
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    const reason = error?.message ?? `exit code ${status}`;
    process.stderr.write(
      `millrace: could not install (${reason}). Check the network and the npm registry, then run: npx ${packageManager} install\n`,
    );
    process.exit(status || 1);
  }
  writeFileSync(stamp, wanted);
}
