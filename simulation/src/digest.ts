import { createHash } from "node:crypto";
import type { Outcome } from "./run.ts";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * A text that is the same for two runs that went the same way: of every line of the history, of all that apps have said, and of when
 * it was said. Names that are random by design (owners, incarnations) count by the order of their appearance.
 */
export function digestOf({ history, events, violations, steps }: Outcome): string {
  const names = new Map<string, string>();
  const nameOf = (name: string): string => {
    const known = names.get(name) ?? `random ${names.size}`;
    names.set(name, known);
    return known;
  };
  const hash = createHash("sha256");
  for (const line of [...history, ...events, ...violations, steps]) {
    hash.update(JSON.stringify(line, withMessages).replaceAll(UUID, nameOf));
  }
  return hash.digest("hex");
}

function withMessages(_name: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
