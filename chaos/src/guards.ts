/** Safeguards that a run can do without, and the markers of the lines that they consist of. */
export const GUARDS = {
  nonce: ["nonce"],
  sequence: ["sequence", "already applied"],
} as const;

/** A safeguard. */
export type Guard = keyof typeof GUARDS;

/** Names the safeguard to the process that is to run without it. */
export const GUARD_VARIABLE = "MILLRACE_CHAOS_WITHOUT";

/** The text of a script without the lines of a guard, and how many those are. Throws when a marker is not found once. */
export function withoutGuard(guard: string, text: string): { readonly source: string; readonly lines: number } {
  const markers: readonly string[] = GUARDS[guard as Guard] ?? [];
  if (markers.length === 0) {
    throw new Error(`no safeguard is called "${guard}"`);
  }
  let lines = text.split("\n");
  for (const marker of markers) {
    const kept = lines.filter((line) => !line.trimEnd().endsWith(`-- guard: ${marker}`));
    if (kept.length !== lines.length - 1) {
      throw new Error(`the marker "-- guard: ${marker}" is there ${lines.length - kept.length} times, not once`);
    }
    lines = kept;
  }
  return { source: lines.join("\n"), lines: markers.length };
}
