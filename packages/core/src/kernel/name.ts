/**
 * The rule for names of topics, apps, pipelines, groups and stores: 1 to 200 letters, digits, `.`, `_` or `-`, beginning
 * with a letter or a digit. Braces, for one, would put all partitions of a topic into one Redis Cluster slot.
 */
export const NAME_RULE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/** Whether `name` follows {@link NAME_RULE}. */
export function isName(name: unknown): name is string {
  return typeof name === "string" && NAME_RULE.test(name);
}

/** How messages quote a name that broke the rule: shortened, control characters visible. */
export function quoteName(name: unknown): string {
  const text = typeof name === "string" ? JSON.stringify(name) : String(name);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

/** The rule in words, for messages. */
export const NAME_RULE_TEXT = "use 1 to 200 letters, digits, '.', '_' or '-', beginning with a letter or a digit";
