// What the mutation gate knows of a safeguard, and how its code is taken out of a source text.

/**
 * A safeguard: a place in the code whose removal breaks a promise, and the tests that must notice.
 *
 * @typedef {object} Safeguard
 * @property {string} name kebab-case, unique
 * @property {string} keeps the promises that rest on it, `G1` to `G8` (docs, "What is promised")
 * @property {string} without one sentence: what goes wrong without it
 * @property {string} file the source, from the root of the repository
 * @property {string} text what is replaced there; must be found exactly once
 * @property {string} becomes what takes its place: code that still runs, and lacks the safeguard
 * @property {readonly string[]} tests test files of which at least one test must fail
 * @property {string} [only] a pattern for full names of tests, as of `vitest -t`; default: all tests of the files
 */

/** The entry does not fit its source any more. */
export class StaleError extends Error {}

/**
 * The source without the safeguard. Throws {@link StaleError} unless the text is found exactly once and is replaced by another.
 *
 * @param {string} source
 * @param {Safeguard} safeguard
 */
export function without(source, { name, file, text, becomes }) {
  const parts = source.split(text);
  if (text === "" || parts.length !== 2) {
    const times = text === "" ? "empty" : `${parts.length - 1} times in ${file}, not once`;
    throw new StaleError(`${name} is stale: its text is ${times}`);
  }
  if (text === becomes) {
    throw new StaleError(`${name} is stale: its text is replaced by itself`);
  }
  return parts.join(becomes);
}

/**
 * The safeguards of these names, in the order of the list; all for no names. Throws for a name that nothing has.
 *
 * @param {readonly Safeguard[]} all
 * @param {readonly string[]} names
 * @returns {readonly Safeguard[]}
 */
export function chosen(all, names) {
  const unknown = names.filter((name) => !all.some((safeguard) => safeguard.name === name));
  if (unknown.length > 0) {
    throw new StaleError(`no safeguard is called ${unknown.join(", ")}; --list shows all`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}
