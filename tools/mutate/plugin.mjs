// Takes a safeguard out of the code that vitest loads. Nothing on disk changes: MILLRACE_WITHOUT=nonce npx vitest run …
import { fileURLToPath } from "node:url";
import { chosen, without } from "./safeguard.mjs";

/** Names the safeguard to take out; empty: none. Asked whenever a module is loaded. */
export const WITHOUT_VARIABLE = "MILLRACE_WITHOUT";

/** Names the file to which a module without its safeguard writes once it is loaded; empty: none. */
export const PROOF_VARIABLE = "MILLRACE_WITHOUT_PROOF";

/**
 * A plugin for a vitest configuration. In the gate's runs, where a proof is asked for, properties draw the same numbers each time: what
 * a test has noticed once it notices again.
 *
 * @param {readonly import("./safeguard.mjs").Safeguard[]} safeguards
 * @param {string} root the URL of the directory from which their files are named
 * @returns {import("vitest/config").Plugin}
 */
export function withoutSafeguard(safeguards, root) {
  return {
    name: "millrace-without-safeguard",
    enforce: "pre",
    transform(code, id) {
      const name = process.env[WITHOUT_VARIABLE] ?? "";
      const [safeguard] = name === "" ? [] : chosen(safeguards, [name]);
      if (safeguard !== undefined && id.split("?")[0] === fileURLToPath(new URL(safeguard.file, root))) {
        return { code: without(code, safeguard) + proof(name), map: null };
      }
      const isRandom = process.env[PROOF_VARIABLE] !== undefined && code.includes(`from "fast-check"`);
      return isRandom ? { code: code + SEEDED, map: null } : null;
    },
  };
}

const SEEDED = `\nimport { configureGlobal as drawTheSame } from "fast-check";\ndrawTheSame({ seed: 1 });\n`;

/**
 * The last statement of the module: it runs when all of the module has. A module that no test has loaded proves nothing.
 *
 * @param {string} name
 */
function proof(name) {
  const file = process.env[PROOF_VARIABLE] ?? "";
  return file === ""
    ? ""
    : `\nimport { appendFileSync as tellThatLoaded } from "node:fs";` +
        `\ntellThatLoaded(${JSON.stringify(file)}, ${JSON.stringify(`${name}\n`)});\n`;
}
