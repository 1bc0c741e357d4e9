import * as E from "fp-ts/lib/Either.js";
import type { Codec } from "../codec/codec.ts";
import { parse } from "../codec/plain-json.ts";
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import { checkFunction, checkOptions } from "../topology/options.ts";
import type { AggregateSet, States } from "./aggregate-set.ts";

/** How the states of aggregates are stored, and how those that an earlier release has stored are read. */
export interface StateOptions {
  /** The states of all aggregates of one key and window, by their names, as text. Default: JSON. */
  readonly codec?: Codec<Readonly<Record<string, unknown>>>;
  /**
   * Counts up when states mean something else than before: other aggregates, another codec, another form of a `fold`'s state. A
   * whole number from 1, the default. Every entry says under which version it was written.
   */
  readonly version?: number;
  /**
   * Makes the states of this version from those of an earlier one, entry by entry, when they are first needed. Without it, a
   * store that holds states of an earlier version is refused at start.
   */
  readonly migrate?: (states: Readonly<Record<string, unknown>>, version: number) => Readonly<Record<string, unknown>>;
}

/** What tells the version in front of an entry's JSON. Version 1 has nothing in front. */
const VERSIONED = /^(\d+):/;

/** Entries as text: a JSON list of what the operator notes beside the states, such as a window's revision, and the states. */
export class StateCodec {
  readonly version: number;
  readonly migrates: boolean;
  private readonly options: StateOptions;
  private readonly aggregates: AggregateSet;

  /** Throws `InvalidOption`. */
  constructor(operator: string, aggregates: AggregateSet, options: StateOptions) {
    checkOptions(`${operator}: state`, options, ["codec", "version", "migrate"]);
    const { version = 1, migrate } = options;
    if (!Number.isInteger(version) || version < 1) {
      throw new MillraceError(
        "InvalidOption",
        `${operator}: state.version must be a whole number from 1, not ${quote(version)}`,
      );
    }
    if (migrate !== undefined) {
      checkFunction(`${operator}: state.migrate`, migrate);
    }
    this.version = version;
    this.migrates = migrate !== undefined;
    this.options = options;
    this.aggregates = aggregates;
  }

  /** States as a part of an entry's JSON. Throws `EncodeError`. */
  pack(states: States): unknown {
    const { codec } = this.options;
    if (codec === undefined) {
      return states;
    }
    const text = codec.encode(states);
    if (E.isLeft(text)) {
      const issues = text.left.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
      throw new MillraceError("EncodeError", `the state's codec refuses it: ${issues.join("; ")}`);
    }
    return text.right;
  }

  /** Throws `EncodeError` for states that the user's codec refuses, where the record that caused them is known. */
  check(states: States): void {
    if (this.options.codec !== undefined) {
      this.pack(states);
    }
  }

  /** The text of an entry. */
  write(entry: readonly unknown[]): string {
    const json = JSON.stringify(entry);
    return this.version === 1 ? json : `${this.version}:${json}`;
  }

  /** The entry in a text, and how its states are unpacked. Throws when it is none. */
  read(text: string): { readonly entry: readonly unknown[]; readonly unpack: (packed: unknown) => States } {
    const prefix = VERSIONED.exec(text);
    const version = Number(prefix?.[1] ?? 1);
    if (version > this.version) {
      throw new Error(`it was written by version ${version}, and this is version ${this.version}`);
    }
    const entry = parse(prefix === null ? text : text.slice(prefix[0].length));
    if (E.isLeft(entry) || !Array.isArray(entry.right)) {
      // Without the cause: it quotes the text.
      throw new Error("it is no list in JSON");
    }
    return { entry: entry.right, unpack: (packed) => this.unpack(packed, version) };
  }

  private unpack(packed: unknown, version: number): States {
    const { migrate } = this.options;
    if (version < this.version) {
      if (migrate === undefined) {
        throw new Error(`it was written by version ${version}, and there is no state.migrate`);
      }
      // What the old codec was nobody knows any more: its text is for the user to read.
      return this.complete(migrate(isStates(packed) ? packed : { text: packed }, version));
    }
    return this.complete(this.decode(packed));
  }

  private decode(packed: unknown): unknown {
    const { codec } = this.options;
    if (codec === undefined) {
      return packed;
    }
    const states = typeof packed === "string" ? codec.decode(packed) : E.left([]);
    if (E.isLeft(states)) {
      throw new Error("the state's codec refuses it");
    }
    return states.right;
  }

  /** An aggregate without a state would fail somewhere else, and nobody would know why. */
  private complete(states: unknown): States {
    const missing = this.aggregates.names.filter((name) => !isStates(states) || !Object.hasOwn(states, name));
    if (missing.length > 0) {
      throw new Error(`it has no state of ${missing.join(", ")}`);
    }
    return states as States;
  }
}

function isStates(value: unknown): value is States {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A whole number in an entry. Throws when it is none. */
export function numberAt(entry: readonly unknown[], index: number): number {
  const value = entry[index];
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new Error(`place ${index} holds no number`);
  }
  return value;
}
