/**
 * The rule for names of topics, apps, pipelines, groups and stores: 1 to 200 letters, digits, `.`, `_` or `-`, beginning
 * with a letter or a digit. Braces, for one, would put all partitions of a topic into one Redis Cluster slot.
 */
const NAME_RULE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/** Whether `name` follows {@link NAME_RULE}. */
export function isName(name: unknown): name is string {
  return typeof name === "string" && NAME_RULE.test(name);
}

/** How messages show a name or an option that broke a rule: strings quoted, shortened, control characters visible. */
export function quote(value: unknown): string {
  if (typeof value === "string") {
    return value.length > 60 ? `${JSON.stringify(value.slice(0, 57)).slice(0, -1)}…"` : JSON.stringify(value);
  }
  // The text of an object is its own affair: it may be anything, and may throw.
  return typeof value === "function" || (typeof value === "object" && value !== null)
    ? `a value of type ${typeof value}`
    : String(value);
}

/** The rule in words, for messages. */
export const NAME_RULE_TEXT = "use 1 to 200 letters, digits, '.', '_' or '-', beginning with a letter or a digit";
