// What the mutation gate has to know of a run: which files were collected, which tests ran, and with what they failed.

/**
 * @typedef {object} TestReport
 * @property {string} name the full name
 * @property {"passed" | "failed" | "skipped" | "pending"} state
 * @property {readonly string[]} errors each with the names and messages of its causes
 *
 * @typedef {object} FileReport
 * @property {string} file from the root of the project, with slashes
 * @property {readonly string[]} problems of the file itself: it does not load, or a hook failed
 * @property {readonly TestReport[]} tests
 *
 * @typedef {{ readonly files: readonly FileReport[] }} RunReport
 */

/** How far causes are followed. */
const MOST_CAUSES = 5;

/**
 * @param {import("vitest/node").TestModule} module
 * @returns {FileReport}
 */
export function reportOf(module) {
  const suites = [...module.children.allSuites()];
  return {
    file: module.relativeModuleId.replaceAll("\\", "/"),
    problems: [module, ...suites].flatMap((each) => each.errors().map(textOf)),
    tests: [...module.children.allTests()].map((test) => {
      const { state, errors } = test.result();
      return { name: test.fullName, state, errors: (errors ?? []).map(textOf) };
    }),
  };
}

/** @param {unknown} error */
function textOf(error) {
  const texts = [];
  for (let each = error; isObject(each) && texts.length < MOST_CAUSES; each = each["cause"]) {
    texts.push(`${String(each["name"])}: ${String(each["message"])}`);
  }
  return texts.join("\ncaused by ");
}

/**
 * @param {unknown} value
 * @returns {value is Readonly<Record<string, unknown>>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null;
}
