/**
 * Runs jobs side by side. When one fails, the signal that all were given aborts; when all have ended, the first failure is
 * thrown. `signal` aborts theirs, too.
 */
export async function together(
  signal: AbortSignal,
  jobs: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const halt = new AbortController();
  const both = AbortSignal.any([signal, halt.signal]);
  const failures: unknown[] = [];
  await Promise.all(
    jobs.map(async (job) => {
      try {
        await job(both);
      } catch (error) {
        failures.push(error);
        halt.abort();
      }
    }),
  );
  if (failures.length > 0) {
    throw failures[0];
  }
}
