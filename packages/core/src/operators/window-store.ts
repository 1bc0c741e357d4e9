import * as E from "fp-ts/lib/Either.js";
import { parse, stringify } from "../codec/plain-json.ts";
import { MillraceError } from "../errors.ts";
import type { DirtyStore } from "../topology/stage.ts";

/** The key beside the windows under which is said what they are; theirs begin with a number. */
const DEFINITION = "definition";

/** Open windows by start and key, and which of them have changed. */
export class WindowStore implements DirtyStore {
  private readonly name: string;
  private readonly definition: string;
  /** Whether the stored definition is this one. */
  private isDescribed = false;
  private readonly windows = new Map<number, Map<string, readonly unknown[]>>();
  /** Starts of open windows, ascending. */
  private readonly starts: number[] = [];
  private readonly dirty = new Map<string, { readonly start: number; readonly key: string }>();
  /** The keys of the window that is being closed, sorted; results of one window come in this order. */
  private closing: { readonly start: number; readonly keys: string[] } | null = null;

  /** Throws `DecodeError` for entries that are none of windows, `StateMismatch` for windows of another definition. */
  constructor(
    { name, definition }: { readonly name: string; readonly definition: string },
    entries: Iterable<readonly [key: string, value: string]>,
  ) {
    this.name = name;
    this.definition = definition;
    const stored = this.restore(entries);
    if (stored !== null && stored !== definition && this.starts.length > 0) {
      throw new MillraceError(
        "StateMismatch",
        `store "${name}" holds open windows of "${stored}", and the pipeline says "${definition}": let the version that opened them close them first, or give the window another name (window(…, { name }))`,
      );
    }
    this.isDescribed = stored === definition;
  }

  /** Takes the entries over; returns the definition among them. */
  private restore(entries: Iterable<readonly [key: string, value: string]>): string | null {
    let definition: string | null = null;
    for (const [id, text] of entries) {
      if (id === DEFINITION) {
        definition = text;
        continue;
      }
      const colon = id.indexOf(":");
      const start = Number(id.slice(0, colon));
      const states = parse(text);
      if (colon < 1 || !Number.isFinite(start) || E.isLeft(states) || !Array.isArray(states.right)) {
        throw new MillraceError(
          "DecodeError",
          `the state of store "${this.name}" does not decode at window ${id.slice(0, 100)}`,
        );
      }
      this.set(start, id.slice(colon + 1), states.right);
    }
    return definition;
  }

  firstStart(): number | null {
    return this.starts[0] ?? null;
  }

  get(start: number, key: string): readonly unknown[] | null {
    return this.windows.get(start)?.get(key) ?? null;
  }

  put(start: number, key: string, states: readonly unknown[]): void {
    this.set(start, key, states);
    this.dirty.set(`${start}:${key}`, { start, key });
  }

  /** Removes up to `most` keys of the window, in their order, and returns them with their states. */
  take(start: number, most: number): readonly (readonly [key: string, states: readonly unknown[]])[] {
    const window = this.windows.get(start);
    if (window === undefined) {
      return [];
    }
    if (this.closing?.start !== start) {
      this.closing = { start, keys: [...window.keys()].toSorted(descending) };
    }
    const taken: [string, readonly unknown[]][] = [];
    while (taken.length < most && this.closing.keys.length > 0) {
      const key = this.closing.keys.pop() ?? "";
      taken.push([key, window.get(key) ?? []]);
      window.delete(key);
      this.dirty.set(`${start}:${key}`, { start, key });
    }
    if (window.size === 0) {
      this.windows.delete(start);
      this.starts.splice(this.starts.indexOf(start), 1);
      this.closing = null;
    }
    return taken;
  }

  collect(): { readonly store: string; readonly puts: [string, string][]; readonly deletes: string[] } {
    const puts: [string, string][] = [];
    const deletes: string[] = [];
    for (const [id, { start, key }] of this.dirty) {
      const states = this.get(start, key);
      if (states === null) {
        deletes.push(id);
      } else {
        puts.push([id, this.encode(states)]);
      }
    }
    this.dirty.clear();
    if (!this.isDescribed && puts.length > 0) {
      this.isDescribed = true;
      puts.push([DEFINITION, this.definition]);
    }
    return { store: this.name, puts, deletes };
  }

  private encode(states: readonly unknown[]): string {
    const text = stringify(states);
    if (E.isLeft(text)) {
      const issue = text.left[0];
      throw new MillraceError(
        "InvalidOperator",
        `the state of store "${this.name}" is not JSON: aggregate ${issue?.path ?? ""} ${issue?.message ?? ""}`,
      );
    }
    return text.right;
  }

  private set(start: number, key: string, states: readonly unknown[]): void {
    let window = this.windows.get(start);
    if (window === undefined) {
      window = new Map();
      this.windows.set(start, window);
      const behind = this.starts.findIndex((other) => other > start);
      this.starts.splice(behind < 0 ? this.starts.length : behind, 0, start);
    }
    window.set(key, states);
  }
}

/** By code units: the same on every machine, whatever its locale. */
function descending(a: string, b: string): number {
  return a < b ? 1 : a > b ? -1 : 0;
}
