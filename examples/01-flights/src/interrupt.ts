/** Ctrl-C and `kill`, turned into an orderly end. */
export interface Interrupt {
  /** Aborts at the first signal. The second one ends the process at once. */
  readonly signal: AbortSignal;
  /** What the process exits with after a signal, 128 + its number; `null`: none came. */
  readonly exitCode: number | null;
}

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;
/** Under npm one Ctrl-C arrives twice: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 300;

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
    process.stderr.write(`${name}: finishing what was read (a second signal ends at once)\n`);
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
