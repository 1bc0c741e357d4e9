// Finds the server that the tests and the example start. Run as a script it also installs Debian's package where it may.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Scripts are sent as `#!lua` with flags, which Redis knows since 7.0. */
const MINIMUM_MAJOR = 7;

const INSTALL_HINT =
  "install one: `brew install redis` (macOS), `apt-get install redis-server` (Debian, Ubuntu), `dnf install valkey` (Fedora); or set REDIS_URL=redis://host:6379 to use a running server";

/**
 * @typedef {{ readonly path: string, readonly version: string }} RedisServerBinary
 * @typedef {{ readonly server: RedisServerBinary } | { readonly problem: string }} Search
 */

/** @param {string} name */
function onPath(name) {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((directory) => directory !== "")
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** @param {string} path */
function versionOf(path) {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return /v=(\d+\.\d+\.\d+)/.exec(stdout ?? "")?.[1];
}

/**
 * Looks for a server binary: `REDIS_SERVER` (a path) first, then `redis-server` and `valkey-server` on PATH.
 * The first one that is new enough wins.
 * @returns {Search}
 */
export function findRedisServer() {
  const given = process.env["REDIS_SERVER"];
  const candidates = given
    ? [given]
    : ["redis-server", "valkey-server"].map(onPath).filter((path) => path !== undefined);
  const seen = [];
  for (const path of candidates) {
    const version = versionOf(path);
    if (version !== undefined && Number.parseInt(version, 10) >= MINIMUM_MAJOR) {
      return { server: { path, version } };
    }
    seen.push(`${path} is ${version ?? "not a Redis or Valkey server"}`);
  }
  return {
    problem:
      seen.length > 0
        ? `${seen.join(", ")}, and Millrace needs ${MINIMUM_MAJOR}.0 or newer; ${INSTALL_HINT}`
        : `no redis-server or valkey-server on PATH; ${INSTALL_HINT}`,
  };
}

function isDebian() {
  const release = "/etc/os-release";
  return existsSync(release) && /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync(release, "utf8"));
}

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { env, stdio: ["ignore", 2, 2] }).status === 0;
}

/** Installs the Debian package for its binary only: its service is neither started now nor at the next boot. */
function installDebianPackage() {
  process.stderr.write("Installing Debian's redis-server for the tests (its service stays off) …\n");
  const policy = "/usr/sbin/policy-rc.d"; // exit code 101: maintainer scripts may start nothing
  const ours = !existsSync(policy);
  if (ours) {
    writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  }
  try {
    const wait = ["-o", "DPkg::Lock::Timeout=120"];
    run("apt-get", [...wait, "-qq", "update"]); // one unreachable source need not matter
    run("apt-get", [...wait, "-qq", "install", "-y", "--no-install-recommends", "redis-server"]);
    if (existsSync("/run/systemd/system")) {
      run("systemctl", ["disable", "--quiet", "--now", "redis-server"]);
    }
  } finally {
    if (ours) {
      rmSync(policy, { force: true });
    }
  }
}

/**
 * Like {@link findRedisServer}, and installs Debian's package first when there is no server at all and this process may (root).
 * Chatter goes to stderr. Nothing is installed when `REDIS_SERVER` or `REDIS_URL` says what to use.
 * @returns {Search}
 */
export function ensureRedisServer() {
  const found = findRedisServer();
  const told = process.env["REDIS_SERVER"] || process.env["REDIS_URL"];
  const none = !onPath("redis-server") && !onPath("valkey-server");
  if ("server" in found || told || !none || process.getuid?.() !== 0 || !isDebian()) {
    return found;
  }
  installDebianPackage();
  return findRedisServer();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = ensureRedisServer();
  if ("problem" in result && !process.env["REDIS_URL"]) {
    process.stderr.write(`millrace: ${result.problem}\n`);
    process.exit(1);
  }
}
