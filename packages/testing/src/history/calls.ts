import type { FailLine, HistoryLine, InfoLine, InvokeLine, LossLine, OkLine, Operation } from "./lines.ts";

/** A call of a port, from its beginning to its outcome. */
export interface Call<I extends InvokeLine = InvokeLine, O extends OkLine = OkLine> {
  readonly invoke: I;
  /** Place of its beginning among the lines. */
  readonly from: number;
  /** `null`: it failed, or nobody knows. */
  readonly ok: O | null;
  /** What it was told, if anything. */
  readonly outcome: OkLine | FailLine | InfoLine | null;
  /** Place of the outcome; `Infinity` without one. */
  readonly to: number;
  /** It has had no effect. */
  readonly hasFailed: boolean;
  /** Whatever it did may be gone: the store lost what was written at that time. */
  readonly isLossy: boolean;
}

/** Calls of one kind. */
export type CallOf<Op extends Operation> = Call<
  Extract<InvokeLine, { readonly op: Op }>,
  Extract<OkLine, { readonly op: Op }>
>;

type Outcome = OkLine | FailLine | InfoLine;

/** The lines of a call: its beginning, and its outcome where there is one. */
export function linesOf({ invoke, outcome }: Call): readonly HistoryLine[] {
  return outcome === null ? [invoke] : [invoke, outcome];
}

/** Told of what is not as it must be, with the lines that show it. */
export type Note = (message: string, lines: readonly HistoryLine[]) => void;

interface Begun {
  readonly invoke: InvokeLine;
  readonly from: number;
  ended: { readonly outcome: Outcome; readonly to: number } | null;
}

/** The calls of a history, in the order in which they began. What belongs to no call is told to `odd`. */
export function callsOf(lines: readonly HistoryLine[], losses: readonly LossLine[], odd: Note): readonly Call[] {
  const begun = new Map<string, Begun>();
  for (const [at, line] of lines.entries()) {
    if (line._tag === "invoke") {
      begin(begun, line, at, odd);
    } else if (line._tag === "ok" || line._tag === "fail" || line._tag === "info") {
      end(begun, line, at, odd);
    }
  }
  return [...begun.values()].map((call) => callOf(call, losses));
}

function begin(begun: Map<string, Begun>, invoke: InvokeLine, from: number, odd: Note): void {
  const id = idOf(invoke);
  const before = begun.get(id);
  if (before === undefined) {
    begun.set(id, { invoke, from, ended: null });
  } else {
    odd(`call ${id} begins twice: give every run of a program a name of its own`, [before.invoke, invoke]);
  }
}

function end(begun: ReadonlyMap<string, Begun>, outcome: Outcome, to: number, odd: Note): void {
  const id = idOf(outcome);
  const call = begun.get(id);
  if (call === undefined || call.invoke.op !== outcome.op) {
    odd(`call ${id} has an outcome and no beginning`, [outcome]);
  } else if (call.ended === null) {
    call.ended = { outcome, to };
  } else {
    odd(`call ${id} has two outcomes`, [call.invoke, call.ended.outcome, outcome]);
  }
}

function callOf({ invoke, from, ended }: Begun, losses: readonly LossLine[]): Call {
  const outcome = ended?.outcome ?? null;
  const toMs = outcome?.atMs ?? Number.POSITIVE_INFINITY;
  return {
    invoke,
    from,
    outcome,
    ok: outcome?._tag === "ok" ? outcome : null,
    to: ended?.to ?? Number.POSITIVE_INFINITY,
    hasFailed: outcome?._tag === "fail",
    isLossy: losses.some(({ fromMs, untilMs }) => invoke.atMs <= untilMs && toMs >= fromMs),
  };
}

function idOf({ process, call }: { readonly process: string; readonly call: number }): string {
  return `${process}#${call}`;
}

/** Whether a call is of a kind. */
export function isCall<Op extends Operation>(call: Call, op: Op): call is CallOf<Op> {
  return call.invoke.op === op;
}
