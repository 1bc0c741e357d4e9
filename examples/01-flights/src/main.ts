import { MillraceError } from "@millrace/core";
import { CommanderError } from "commander";
import { OtherInput } from "./claim.ts";
import { onInterrupt } from "./interrupt.ts";
import { runJob } from "./job.ts";
import { readOptions } from "./options.ts";

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => process.exit(code === "EPIPE" ? 0 : 1));

const interrupt = onInterrupt();
try {
  const options = readOptions(process.argv.slice(2));
  await runJob(options, interrupt.signal);
  // A signal is the regular end of a worker, and of nothing else.
  process.exitCode = options.mode === "work" ? 0 : (interrupt.exitCode ?? 0);
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode; // commander has said it
  }
  if (error instanceof MillraceError || error instanceof OtherInput) {
    process.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}
