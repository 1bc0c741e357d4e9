import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = new URL("../../../../", import.meta.url);

/** Which tests to run, and how. */
export interface VitestRun {
  /** The test file. */
  readonly file: URL;
  /** A regular expression for the whole names of tests, from that of the outermost block on. */
  readonly names: string;
  readonly reporter: "tap-flat" | "verbose";
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs tests in a process of their own, and returns what vitest says of them, whether or not they pass. */
export async function vitestRun({ file, names, reporter, env = {} }: VitestRun): Promise<string> {
  const vitest = fileURLToPath(new URL("node_modules/vitest/vitest.mjs", ROOT));
  const args = [vitest, "run", "--project", "tests", fileURLToPath(file), `--reporter=${reporter}`, "-t", names];
  const options = { cwd: fileURLToPath(ROOT), env: { ...process.env, NO_COLOR: "1", ...env }, maxBuffer: 1 << 26 };
  const ended = await promisify(execFile)(process.execPath, args, options).catch(
    // It exits with an error where tests fail.
    (error: { readonly stdout: string }) => error,
  );
  return ended.stdout;
}
