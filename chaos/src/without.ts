/**
 * Takes a safeguard out of the product, to show that the checker notices: `node --import ./without.js worker.js`, with the
 * guard in the environment. Only the text of one module is changed, and only as that is loaded.
 */
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { GUARD_VARIABLE, withoutGuard } from "./guards.ts";

const guard = process.env[GUARD_VARIABLE] ?? "";
const url = new URL("./scripts/commit.js", import.meta.resolve("@millrace/redis-adapter")).href;
// Fails here and now where the marker is not found, and not as a run without violations.
const { source, lines } = withoutGuard(guard, readFileSync(new URL(url), "utf8"));
register("./without-hooks.js", import.meta.url, { data: { url, source } });
(globalThis as { chaosWithout?: { readonly guard: string; readonly lines: number } }).chaosWithout = { guard, lines };
