import { outputsOf, sourcesOf } from "../flows.ts";
import { Counts } from "../grouped.ts";
import type { HistoryView } from "../history-view.ts";
import type { StateLine } from "../lines.ts";
import { certainIn } from "../log-matches.ts";
import { StoreVersions } from "../store-versions.ts";
import type { LogicalCommit, TaskView } from "../task-view.ts";
import type { Expectations, ExpectedState, Findings, Flow } from "../verdict.ts";
import { nameOf } from "../written.ts";

/**
 * **I6**: what is there in the end is what the accepted commits say, and what the input says. Every output of an accepted commit is
 * in the log; every store holds what its task's commits, one after the other, leave in it; with flows and expected states, the
 * outputs are the multiset that the processed records lead to, and stores hold what these leave.
 *
 * Needs the calls of the workers and the contents in the end; for the last sentence flows and states in the expectations, and positions.
 * Stores are judged where every commit of the task is in the history; of a commit of which nobody knows, both is right.
 *
 * Cannot see a function that is wrong in the same way as its reference.
 */
export function judgeOutputs(view: HistoryView, expectations: Expectations, found: Findings): void {
  judgeCommitted(view, found);
  judgeStores(view, found);
  for (const flow of expectations.flows ?? []) {
    judgeFlow(view, flow, found);
  }
  for (const state of expectations.states ?? []) {
    judgeState(view, state, found);
  }
  if ((expectations.flows ?? []).length === 0) {
    found.missing("no flow says what the input leads to");
  }
}

function judgeCommitted(view: HistoryView, found: Findings): void {
  for (const { partition, found: there, written } of view.matches) {
    const lost = written.findLast(({ certainty, isAppended }) => certainty === "certain" && !isAppended);
    const isOnlyCommitted = written.every(({ certainty, isAppended }) => certainty !== "certain" || !isAppended);
    if (lost !== undefined && isOnlyCommitted && partition.all !== null) {
      found.judged();
      const certain = certainIn(written);
      if (there.length < certain) {
        const copies = there.length === 0 ? "is not" : `is only ${there.length} times, not ${certain},`;
        found.violated(`${nameOf(lost)} was accepted and ${copies} in ${partition.name}`, [
          ...lost.lines(),
          partition.line,
          ...there.map((record) => partition.lineOf(record)),
        ]);
      }
    }
  }
}

function judgeStores(view: HistoryView, found: Findings): void {
  const versions = new Map<TaskView, StoreVersions>();
  const told = new Set<string>();
  for (const line of view.states) {
    const task = view.task(line);
    const isDropped = view.drops.some(({ invoke }) => invoke.store === line.store && view.task(invoke) === task);
    told.add(`${task?.name} ${line.store}`);
    if (task === null || !task.isChainComplete || isDropped) {
      const why = isDropped ? "it was dropped meanwhile" : "not every commit of its task is known";
      found.missing(`store ${line.store} of ${line.group}/${line.topic}/${line.partition} is not judged: ${why}`);
    } else {
      found.judged();
      const of = versions.get(task) ?? new StoreVersions(task);
      versions.set(task, of);
      judgeStore(task, of, line, found);
    }
  }
  for (const { name, commits } of view.tasks) {
    const stores = new Set(commits.flatMap(({ invoke }) => invoke.state.map(({ store }) => store)));
    for (const store of [...stores].filter((of) => !told.has(`${name} ${of}`))) {
      found.missing(`the end of the store ${store} of ${name} is not in the history`);
    }
  }
}

function judgeStore(task: TaskView, versions: StoreVersions, line: StateLine, found: Findings): void {
  const there = new Map(line.entries);
  const ends = [task.chain, ...task.tail.map((last) => [...task.chain, last])];
  const differences = ends.map((commits) => differenceOf(versions.contents(line.store, commits), there));
  const key = differences.every((difference) => difference !== null) ? (differences[0] ?? null) : null;
  if (key !== null) {
    const writers: readonly LogicalCommit[] = versions.writersOf(line.store, key);
    const message = `the store ${line.store} of ${task.name} does not hold under ${key} what its commits say`;
    found.violated(message, [...writers.slice(-3).flatMap((commit) => task.linesOf(commit)), line]);
  }
}

/** The first key of which two stores do not say the same; `null`: there is none. */
function differenceOf(expected: ReadonlyMap<string, string>, there: ReadonlyMap<string, string>): string | null {
  for (const key of [...expected.keys(), ...there.keys()]) {
    if (expected.get(key) !== there.get(key)) {
      return key;
    }
  }
  return null;
}

type Outputs = ReturnType<typeof outputsOf>;

function judgeFlow(view: HistoryView, flow: Flow, found: Findings): void {
  const { sources, reason } = sourcesOf(view, flow);
  const outputs = outputsOf(view, flow);
  if (sources === null || outputs.partitions === 0) {
    found.missing(reason ?? `the end of ${flow.to} is not in the history`);
    return;
  }
  found.judged();
  const known = new Set(
    sources.flatMap(({ partition, processed, rest }) =>
      [...processed, ...rest].flatMap((record) => flow.each?.(record, partition.line.partition) ?? []),
    ),
  );
  const all = flow.all?.(sources.map(({ processed }) => processed)) ?? null;
  const expected = new Counts();
  for (const id of all ?? []) {
    expected.add(id);
  }
  // How often what follows from single records is there is the business of I2.
  judgeSurplus(flow, { outputs, most: (id) => (known.has(id) ? Number.POSITIVE_INFINITY : expected.of(id)) }, found);
  const unknown = outputs.isWhole ? reason : `${flow.to}: some of its records were trimmed, and not all were read`;
  if (all !== null && unknown !== null) {
    found.missing(unknown);
  } else if (all !== null) {
    judgeMissing(view, { flow, expected, byId: outputs.byId }, found);
  }
}

/** What is there and follows from nothing, or more often than it does. */
function judgeSurplus(
  flow: Flow,
  { outputs, most }: { readonly outputs: Outputs; readonly most: (id: string) => number },
  found: Findings,
): void {
  for (const [id, there] of outputs.byId) {
    const [first] = there;
    if (first !== undefined && there.length > most(id)) {
      const name = `${first.partition.name} ${first.record.offset} (key ${first.record.key})`;
      const times = most(id) === 0 ? "nothing in" : `only ${most(id)}, not ${there.length}, times from`;
      const message = `${name} follows from ${times} what ${flow.group} has processed of ${flow.from}`;
      found.violated(
        message,
        there.map(({ partition, record }) => partition.lineOf(record)),
      );
    }
  }
}

function judgeMissing(
  view: HistoryView,
  of: {
    readonly flow: Flow;
    readonly expected: Counts;
    readonly byId: Outputs["byId"];
  },
  found: Findings,
): void {
  const { flow, expected, byId } = of;
  for (const [id, count] of expected.entries()) {
    const there = byId.get(id) ?? [];
    if (there.length < count) {
      const message = `what ${flow.group} has processed of ${flow.from} leads to ${shown(id)} ${count} times, and it is in ${flow.to} ${there.length} times`;
      found.violated(message, [
        ...view.tasksOf(flow.group, flow.from).flatMap(({ position }) => position ?? []),
        ...there.map(({ partition, record }) => partition.lineOf(record)),
      ]);
    }
  }
}

const MOST_SHOWN = 60;

/** An id is made by the caller, of what may be shown. */
function shown(id: string): string {
  return id.length > MOST_SHOWN ? `${id.slice(0, MOST_SHOWN)}…` : id;
}

function judgeState(view: HistoryView, state: ExpectedState, found: Findings): void {
  const { group, topic, store, expect } = state;
  const { sources, reason } = sourcesOf(view, { group, from: topic, to: topic });
  if (sources === null) {
    found.missing(reason);
    return;
  }
  for (const { partition, processed } of sources) {
    const task = view.task({ ...partition.line, group });
    const line = view.states.find((of) => of.store === store && view.task(of) === task);
    if (line === undefined) {
      found.missing(`the end of the store ${store} of ${group}/${partition.name} is not in the history`);
    } else {
      found.judged();
      const key = differenceOf(expect(processed, partition.line.partition), new Map(line.entries));
      if (key !== null) {
        const message = `the store ${store} of ${group}/${partition.name} does not hold under ${key} what the processed records leave`;
        found.violated(message, [...(task?.position ? [task.position] : []), line]);
      }
    }
  }
}
