import { MillraceError } from "@millrace/core";
import { runJob } from "./job.ts";
import { HELP, readOptions, UsageError } from "./options.ts";

try {
  const options = readOptions(process.argv.slice(2));
  if (options.isHelp) {
    process.stdout.write(HELP);
  } else {
    await runJob(options);
  }
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  const isExpected = error instanceof UsageError || error instanceof MillraceError;
  const text = error instanceof Error ? (isExpected ? `error: ${error.message}` : error.stack) : String(error);
  process.stderr.write(`${text}\n`);
}
