/**
 * The windows of one key whose bounds depend on the key's records: sessions and sliding windows. A list of them is sorted by
 * start. Bounds are half-open, in whole milliseconds since the Unix epoch.
 */

/** One window and what it has gathered. Immutable. */
export interface KeyWindow<S> {
  /** First instant of the window, ms. */
  readonly start: number;
  /** First instant behind the window, ms. */
  readonly end: number;
  /** The largest event time (ms) of a record in it. */
  readonly lastMs: number;
  /** How often it has changed: 1 for a new window. 0: it was closed from the beginning, and is nobody's result. */
  readonly revision: number;
  /** Its result is out, or it is nobody's result: it is kept only because new windows may begin with its state (sliding). */
  readonly isFinal: boolean;
  readonly state: S;
}

/** What is done with the states of windows. Pure: no state is changed in place. */
export interface WindowOps<S> {
  /** The state of no records. Neutral to `merge`. */
  init(): S;
  /** A state with the record at hand. */
  add(state: S): S;
  /** Two states as one; `a` is earlier in time. */
  merge(a: S, b: S): S;
}

/** What a record has done to the windows of its key. */
export interface Added<S> {
  /** The key's windows afterwards, by start. */
  readonly windows: readonly KeyWindow<S>[];
  /** Windows with another result than before, in the order in which results are to be emitted: by start. */
  readonly changed: readonly KeyWindow<S>[];
  /** Windows whose bounds are no more, by start: sessions that grew or merged. What was emitted of them is to be retracted. */
  readonly removed: readonly KeyWindow<S>[];
  /** How many windows would have taken the record, but are closed. */
  readonly missed: number;
}
