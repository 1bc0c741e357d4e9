/** What becomes of each operator of RxJS in a pipeline: the data of docs/guides/rxjs-operators.md, and what its test runs. */
import * as rx from "rxjs";
import * as ops from "rxjs/operators";
import type { Op } from "./support/native-run.ts";

/** Why an operator is refused: what the table says, and what the error says. */
export const FAULTS = {
  late: ["its results come later than their record", /works on behind the push/],
  alone: ["it emits on its own, beneath no record", /emitted while no record was pushed/],
  completes: ["it completes, and nothing would be processed any more", /completed: nothing behind it/],
  early: ["it emits before the first record", /emitted before the first record/],
  end: ["it emits at the end, where every record is acknowledged already", /emitted at the end of its input/],
  again: ["it subscribes to its input again, which repeats nothing", /subscribed to its input once more/],
  deaf: ["it does not listen to its input, which would be lost", /does not listen to its input/],
  observable: ["it emits Observables, and what comes of them later is nobody's", /emitted an Observable/],
  silent: ["it keeps or drops more than 256 records", /yielded nothing for 256 records/],
  fails: ["it cannot be subscribed here", /failed when it was subscribed/],
  none: ["it makes no Observable", /returned no Observable/],
} as const satisfies Record<string, readonly [string, RegExp]>;
type Fault = keyof typeof FAULTS;

/** What follows when its task starts again in the middle: the same, or what a new operator makes of the rest. */
type Restart = "same" | "anew";

interface Told {
  readonly name: string;
  /** Remarks beyond what the verdict says by itself. */
  readonly why: string;
  readonly instead: string;
}

/** An operator; `count`: how many numbers it gets, 0, 1, 2, … */
type Make = (count: number) => Op;

export type Row = Told &
  (
    | { readonly verdict: "supported"; readonly op: Make; readonly restart: Restart; readonly later: Make | null }
    /** What makes Observables and what consumes them have to be in one section. */
    | {
        readonly verdict: "together";
        readonly front: Op;
        readonly back: rx.OperatorFunction<never, unknown>;
        readonly restart: Restart;
        readonly sync: boolean;
      }
    | { readonly verdict: "stateless"; readonly op: Make; readonly restart: Restart }
    | { readonly verdict: "small"; readonly op: Make }
    | { readonly verdict: "refused"; readonly op: Make; readonly fault: Fault; readonly waits: boolean }
    | { readonly verdict: "inert"; readonly op: Make }
  );

const supported = (name: string, op: Make, restart: Restart, instead = "", why = ""): Row => ({
  verdict: "supported",
  name,
  op,
  restart,
  instead,
  why,
  later: null,
});
/** Supported where what it subscribes to is synchronous. */
const inner = (name: string, op: Make, later: Make, restart: Restart, instead: string): Row => ({
  verdict: "supported",
  name,
  op,
  restart,
  instead,
  later,
  why: "with synchronous Observables; with asynchronous ones it is refused",
});
const together = (
  name: string,
  front: Op,
  back: rx.OperatorFunction<never, unknown>,
  instead: string,
  { sync = false, restart = "same", why = "" }: { sync?: boolean; restart?: Restart; why?: string } = {},
): Row => ({ verdict: "together", name, front, back, instead, sync, restart, why });
const stateless = (name: string, op: Make, restart: Restart, instead: string, why = ""): Row => ({
  verdict: "stateless",
  name,
  op,
  restart,
  instead,
  why,
});
const small = (name: string, op: Make, instead: string, why = ""): Row => ({
  verdict: "small",
  name,
  op,
  instead,
  why,
});
const refused = (name: string, fault: Fault, op: Make, instead: string, why = ""): Row => ({
  verdict: "refused",
  name,
  fault,
  op,
  instead,
  why,
  waits: false,
});
/** Refused when time has passed. */
const waits = (name: string, fault: Fault, op: Make, instead: string, why = ""): Row => ({
  verdict: "refused",
  name,
  fault,
  op,
  instead,
  why,
  waits: true,
});
const inert = (name: string, op: Make, why: string, instead = ""): Row => ({
  verdict: "inert",
  name,
  op,
  instead,
  why,
});

const ENRICH = "`mapOrdered`";
const ENOUGH = "`filter`, or end the input with `producer.end()`";
const FAIL = "`onError`, or `mapOrdered` with `retry`";
const WINDOW = "`window`";
const PRODUCE = "write it with a producer";
const LOOK_UP = "`mapOrdered` that asks for the other value";
const SAME_TOPIC = "producers of both sources for one topic";
const soon = (n: number): rx.Observable<number> => rx.timer(1).pipe(rx.map(() => n));
const pairs = rx.map((n: number) => rx.of(n, -n));
const sum = (total: number, n: number): number => total + n;
const asOp = (apply: unknown): Op => apply as Op;

// biome-ignore format: a table, one operator a line.
export const ROWS: readonly Row[] = [
  refused("audit", "late", () => rx.audit(() => rx.timer(1)), WINDOW),
  refused("auditTime", "late", () => rx.auditTime(1), WINDOW),
  waits("buffer", "alone", () => rx.buffer(rx.interval(1)), WINDOW),
  supported("bufferCount", () => rx.bufferCount(3), "same", "", "a batch is acknowledged as a whole. Where batches overlap (`bufferCount(3, 1)`) they begin anew behind a restart, and incomplete ones at the end are refused"),
  waits("bufferTime", "alone", () => rx.bufferTime(1), WINDOW),
  waits("bufferToggle", "alone", () => rx.bufferToggle(rx.interval(2), () => rx.timer(1)), WINDOW),
  waits("bufferWhen", "alone", () => rx.bufferWhen(() => rx.timer(1)), WINDOW),
  inert("catchError", () => rx.catchError(() => rx.of(-1)), "operators in front fail by themselves, not through it. Inside one `native(name, rx.pipe(…))` it leaves its input, which is refused", FAIL),
  small("combineAll", () => rx.pipe(pairs, ops.combineAll()), WINDOW, "in one `native` with what makes the Observables"),
  waits("combineLatest", "alone", () => ops.combineLatest(rx.interval(1)), LOOK_UP),
  small("combineLatestAll", () => rx.pipe(pairs, rx.combineLatestAll()), WINDOW, "in one `native` with what makes the Observables"),
  waits("combineLatestWith", "alone", () => rx.combineLatestWith(rx.interval(1)), LOOK_UP),
  refused("concat", "end", () => ops.concat(rx.of(-1)), PRODUCE),
  together("concatAll", pairs, rx.concatAll(), "`flatMap`"),
  inner("concatMap", () => rx.concatMap((n) => rx.of(n, -n)), () => rx.concatMap(soon), "same", "`flatMap`, `mapOrdered`"),
  inner("concatMapTo", () => rx.concatMapTo(rx.of(1, 2)), () => rx.concatMapTo(rx.timer(1)), "same", "`flatMap`"),
  refused("concatWith", "end", () => rx.concatWith(rx.of(-1)), PRODUCE),
  supported("connect", () => rx.connect((n$) => rx.merge(n$, n$.pipe(rx.map((n) => -n)))), "same", "two `pipe`s from one stream"),
  small("count", () => rx.count(), "`window` with `count()`"),
  refused("debounce", "late", () => rx.debounce(() => rx.timer(1)), WINDOW),
  refused("debounceTime", "late", () => rx.debounceTime(1), WINDOW),
  inert("defaultIfEmpty", () => rx.defaultIfEmpty(-1), "a partition without records yields nothing", "`running.status()`"),
  refused("delay", "late", () => rx.delay(1), "`mapOrdered` with a promise that waits"),
  inner("delayWhen", () => rx.delayWhen(() => rx.of(0)), () => rx.delayWhen(() => rx.timer(1)), "same", "`mapOrdered` with a promise that waits"),
  supported("dematerialize", () => rx.pipe(rx.map((n) => ({ kind: "N" as const, value: n })), rx.dematerialize()), "same", "", "a notification that completes is refused"),
  stateless("distinct", (count) => rx.distinct((n) => Math.max(n, count - 2)), "anew", "`mapOrdered` with a store of your own"),
  stateless("distinctUntilChanged", (count) => rx.distinctUntilChanged((_, n) => n < count - 2), "anew", "`filter`"),
  stateless("distinctUntilKeyChanged", (count) => rx.pipe(rx.map((n) => ({ is: n > count - 2 })), rx.distinctUntilKeyChanged("is")), "anew", "`filter`"),
  refused("elementAt", "completes", () => rx.elementAt(2), ENOUGH),
  refused("endWith", "end", () => rx.endWith(-1), PRODUCE),
  small("every", () => rx.every((n) => n >= 0), WINDOW, "completes, which is refused, at the first value that does not fit"),
  together("exhaust", pairs, ops.exhaust(), "`flatMap`"),
  together("exhaustAll", pairs, rx.exhaustAll(), "`flatMap`"),
  inner("exhaustMap", () => rx.exhaustMap((n) => rx.of(n, -n)), () => rx.exhaustMap(soon), "same", "`flatMap`, `mapOrdered`"),
  inner("expand", () => rx.expand((n) => (n < 100 ? rx.of(n + 100) : rx.EMPTY)), () => rx.expand(soon), "same", "`flatMap`"),
  stateless("filter", (count) => rx.filter((n) => n === 2 || n === count - 1), "same", "`filter`"),
  supported("finalize", () => rx.finalize(() => {}), "same", "`app.events$`", "it is called wherever a task ends, which may be often"),
  refused("find", "completes", () => rx.find((n) => n === 2), ENOUGH),
  refused("findIndex", "completes", () => rx.findIndex((n) => n > 1), ENOUGH),
  refused("first", "completes", () => rx.first(), ENOUGH),
  inner("flatMap", () => ops.flatMap((n) => rx.of(n, -n)), () => ops.flatMap(soon), "same", "`flatMap`, `mapOrdered`"),
  together("groupBy", asOp(rx.groupBy((n: number) => n % 2)), rx.mergeMap((group: rx.Observable<number>) => group.pipe(rx.scan(sum))), "`window` with `by`, `partitionBy`", { sync: true, restart: "anew", why: "a group that yields nothing for a record holds it until the end of the input, unless `stateless` is said" }),
  stateless("ignoreElements", () => rx.ignoreElements(), "same", "a pipeline without a sink is none: leave it out"),
  refused("isEmpty", "completes", () => rx.isEmpty(), WINDOW),
  small("last", () => rx.last(), WINDOW),
  supported("map", () => rx.map((n) => n * 2), "same", "`map`", "the index that it counts begins anew behind a restart"),
  supported("mapTo", () => rx.mapTo(1), "same", "`map`"),
  refused("materialize", "end", () => rx.materialize(), "`onError`", "the notification of the end"),
  small("max", () => rx.max(), "`window` with `max(f)`"),
  waits("merge", "alone", () => ops.merge(rx.timer(1)), SAME_TOPIC),
  together("mergeAll", pairs, rx.mergeAll(), "`flatMap`"),
  inner("mergeMap", () => rx.mergeMap((n) => rx.of(n, -n)), () => rx.mergeMap(soon), "same", "`flatMap`, `mapUnordered`"),
  inner("mergeMapTo", () => rx.mergeMapTo(rx.of(1, 2)), () => rx.mergeMapTo(rx.timer(1)), "same", "`flatMap`"),
  inner("mergeScan", () => rx.mergeScan((total, n) => rx.of(total + n), 0), () => rx.mergeScan((total, n) => soon(total + n), 0), "anew", WINDOW),
  waits("mergeWith", "alone", () => rx.mergeWith(rx.timer(1)), SAME_TOPIC),
  small("min", () => rx.min(), "`window` with `min(f)`"),
  supported("multicast", () => ops.multicast(() => new rx.Subject<number>(), (n$: rx.Observable<number>) => n$.pipe(rx.map((n) => -n))), "same", "two `pipe`s from one stream", "without a selector it never listens, and is refused"),
  refused("observeOn", "late", () => rx.observeOn(rx.asapScheduler), ENRICH),
  refused("onErrorResumeNext", "end", () => ops.onErrorResumeNext(rx.of(-1)), FAIL),
  refused("onErrorResumeNextWith", "end", () => rx.onErrorResumeNextWith(rx.of(-1)), FAIL),
  supported("pairwise", () => rx.pairwise(), "anew", WINDOW, "the pair over a restart is missing"),
  refused("partition", "none", () => asOp(ops.partition((n: number) => n > 2)), "two `pipe`s from one stream, each with a `filter`"),
  supported("pluck", () => rx.pipe(rx.map((n) => ({ n })), rx.pluck("n")), "same", "`map`"),
  refused("publish", "deaf", () => asOp(ops.publish()), "two `pipe`s from one stream"),
  refused("publishBehavior", "deaf", () => asOp(ops.publishBehavior(0)), "two `pipe`s from one stream"),
  refused("publishLast", "deaf", () => asOp(ops.publishLast()), "two `pipe`s from one stream"),
  refused("publishReplay", "deaf", () => asOp(ops.publishReplay(1)), "two `pipe`s from one stream"),
  refused("race", "deaf", () => ops.race(rx.concat(rx.of(-1), rx.NEVER)), SAME_TOPIC, "where the other is first; else it changes nothing"),
  refused("raceWith", "deaf", () => rx.raceWith(rx.concat(rx.of(-1), rx.NEVER)), SAME_TOPIC, "where the other is first; else it changes nothing"),
  small("reduce", () => rx.reduce(sum, 0), "`window` with `fold`"),
  refused("refCount", "fails", () => ops.refCount(), "two `pipe`s from one stream", "it needs a `publish` in front of it in one composite"),
  refused("repeat", "again", () => rx.repeat(), "a producer that writes it again", "at the end of the input"),
  refused("repeatWhen", "again", () => rx.repeatWhen((end$) => end$), "a producer that writes it again", "at the end of the input"),
  inert("retry", () => rx.retry(), "operators in front fail by themselves, not through it. Inside one `native(name, rx.pipe(…))` it subscribes again, which is refused", FAIL),
  inert("retryWhen", () => rx.retryWhen((error$) => error$), "operators in front fail by themselves, not through it. Inside one `native(name, rx.pipe(…))` it subscribes again, which is refused", FAIL),
  waits("sample", "alone", () => rx.sample(rx.interval(1)), WINDOW),
  waits("sampleTime", "alone", () => rx.sampleTime(1), WINDOW),
  supported("scan", () => rx.scan(sum), "anew", "`window` with `fold`"),
  small("sequenceEqual", (count) => rx.sequenceEqual(rx.range(0, count)), "a test that reads what was written", "completes, which is refused, at the first value that differs"),
  inert("share", () => rx.share(), "a section has one subscriber, and each task its own", "two `pipe`s from one stream"),
  inert("shareReplay", () => rx.shareReplay(1), "a section has one subscriber, and each task its own", "two `pipe`s from one stream"),
  small("single", () => rx.single((n) => n === 2), WINDOW),
  stateless("skip", (count) => rx.skip(count - 2), "anew", "`filter`", "it skips again behind every restart"),
  supported("skipLast", () => rx.skipLast(2), "anew", WINDOW, "behind every restart the last values in front of it are missing, too"),
  stateless("skipUntil", () => rx.skipUntil(rx.NEVER), "same", "`filter`", "when the other emits depends on the time of processing"),
  stateless("skipWhile", (count) => rx.skipWhile((n) => n < count - 2), "anew", "`filter`"),
  refused("startWith", "early", () => rx.startWith(-1), PRODUCE),
  refused("subscribeOn", "deaf", () => rx.subscribeOn(rx.asapScheduler), "leave it out"),
  together("switchAll", pairs, rx.switchAll(), "`flatMap`"),
  inner("switchMap", () => rx.switchMap((n) => rx.of(n, -n)), () => rx.switchMap(soon), "same", "`flatMap`, `mapOrdered`"),
  inner("switchMapTo", () => rx.switchMapTo(rx.of(1, 2)), () => rx.switchMapTo(rx.timer(1)), "same", "`flatMap`"),
  inner("switchScan", () => rx.switchScan((total, n) => rx.of(total + n), 0), () => rx.switchScan((total, n) => soon(total + n), 0), "anew", WINDOW),
  refused("take", "completes", () => rx.take(3), ENOUGH),
  small("takeLast", () => rx.takeLast(2), WINDOW),
  waits("takeUntil", "completes", () => rx.takeUntil(rx.timer(1)), "`running.stop()`"),
  refused("takeWhile", "completes", () => rx.takeWhile((n) => n < 3), ENOUGH),
  supported("tap", () => rx.tap(() => {}), "same", "`tap`"),
  refused("throttle", "late", () => rx.throttle(() => rx.timer(1)), WINDOW),
  refused("throttleTime", "late", () => rx.throttleTime(1), WINDOW),
  inert("throwIfEmpty", () => rx.throwIfEmpty(), "a partition without records yields nothing", "`running.status()`"),
  supported("timeInterval", () => rx.pipe(rx.timeInterval(), rx.map(({ value }) => value)), "same", "`record.timestamp`", "tells the time of processing, which a restart changes"),
  refused("timeout", "late", () => rx.timeout(1), "`mapOrdered` with `timeout`", "with `first` only it would fail where nothing has come: quiet is no failure"),
  refused("timeoutWith", "late", () => rx.timeoutWith(1, rx.of(-1)), "`mapOrdered` with `timeout`"),
  supported("timestamp", () => rx.pipe(rx.timestamp(), rx.map(({ value }) => value)), "same", "`record.timestamp`", "tells the time of processing, which a restart changes"),
  small("toArray", () => rx.toArray(), WINDOW),
  refused("window", "observable", () => rx.window(rx.interval(1)), WINDOW),
  refused("windowCount", "observable", () => rx.windowCount(3), "`bufferCount`", "with its consumer in one `native` with `sync` for small inputs only"),
  refused("windowTime", "observable", () => rx.windowTime(1), WINDOW),
  waits("windowToggle", "observable", () => rx.windowToggle(rx.interval(2), () => rx.timer(1)), WINDOW),
  refused("windowWhen", "observable", () => rx.windowWhen(() => rx.timer(1)), WINDOW),
  supported("withLatestFrom", () => rx.withLatestFrom(rx.of(-1)), "same", LOOK_UP, "records in front of the first value of the other are dropped; which value that is depends on the time of processing"),
  refused("zip", "completes", () => ops.zip(rx.range(0, 3)), LOOK_UP, "or it waits for the other, and emits on its own"),
  small("zipAll", () => rx.pipe(pairs, rx.zipAll()), WINDOW, "in one `native` with what makes the Observables"),
  refused("zipWith", "completes", () => rx.zipWith(rx.range(0, 3)), LOOK_UP, "or it waits for the other, and emits on its own"),
];

const RESTARTS: { readonly [Is in Restart]: string } = { same: "the same", anew: "anew" };

/** The columns of a row: verdict, restart, why. */
function columns(row: Row): readonly [string, string, string] {
  switch (row.verdict) {
    case "supported":
      return ["supported", RESTARTS[row.restart], row.why];
    case "together":
      return [
        row.sync ? "in one `native` with `sync`" : "in one `native`",
        RESTARTS[row.restart],
        joined("Observables go no further than their section: together with what makes, or consumes, them", row.why),
      ];
    case "stateless":
      return [
        "with `stateless`",
        RESTARTS[row.restart],
        joined(
          "without it, records that it drops wait for the next that it does not, and more than 256 stop the task",
          row.why,
        ),
      ];
    case "small":
      return [
        "small inputs",
        RESTARTS.same,
        joined("it holds up to 256 records of a partition until the end, and stops with more", row.why),
      ];
    case "refused":
      return ["refused", "", joined(FAULTS[row.fault][0], row.why)];
    case "inert":
      return ["inert", "", row.why];
  }
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("; ");
}

/** The table as Markdown. */
export function table(): string {
  const lines = ROWS.map((row) => {
    const [verdict, restart, why] = columns(row);
    return `| \`${row.name}\` | ${[verdict, restart, why, row.instead].map((text) => (text === "" ? "" : `${text} `)).join("| ")}|`;
  });
  return ["| operator | verdict | behind a restart | why | instead |", "|---|---|---|---|---|", ...lines].join("\n");
}
