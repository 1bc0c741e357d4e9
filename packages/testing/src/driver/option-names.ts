/**
 * What is wrong with options: that they are none, or have a name that is not known. A name that is spelled wrong must not mean the
 * default. TypeScript says so, too; programs in JavaScript have nobody else. `null`: nothing.
 */
export function optionProblem(options: unknown, known: readonly string[]): string | null {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    return `options must be an object, not ${kindOf(options)}`;
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  return unknown === undefined
    ? null
    : `there is no option ${JSON.stringify(unknown)}; there are ${known.toSorted().join(", ")}`;
}

/** For messages: what a value is. */
export function kindOf(value: unknown): string {
  if (value === null) {
    return "null";
  }
  return Array.isArray(value) ? "a list" : typeof value;
}
