import { say } from "./say.ts";

/** Ctrl-C and `kill`, turned into an orderly end within 5 s. */
export interface Interrupt {
  /** Aborts at the first signal. The second one ends the process at once. */
  readonly signal: AbortSignal;
  /** What the process exits with after a signal, 128 + its number; `null`: none came. */
  readonly exitCode: number | null;
}

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;
/** Under npm one Ctrl-C arrives twice: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 300;
/** A server that does not answer keeps nobody for longer. */
const END_WITHIN_MS = 4_500;

export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  let exitCode: number | null = null;
  let firstMs = 0;
  const receive = (name: keyof typeof NUMBERS): void => {
    const code = 128 + NUMBERS[name];
    if (exitCode !== null) {
      if (performance.now() - firstMs > SAME_SIGNAL_MS) {
        process.exit(code);
      }
      return;
    }
    exitCode = code;
    firstMs = performance.now();
    say(`${name}: finishing what was read (a second signal ends at once)`);
    setTimeout(() => giveUp(name, code), END_WITHIN_MS).unref();
    controller.abort();
  };
  process.on("SIGINT", receive);
  process.on("SIGTERM", receive);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
  };
}

/** `main.ts` has set the exit code where all was finished, and only connections linger. */
function giveUp(name: string, code: number): void {
  if (process.exitCode === undefined) {
    say(`${name}: not finished in time; what was not committed will be processed again`);
  }
  process.exit(process.exitCode ?? code);
}
