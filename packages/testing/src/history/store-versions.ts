import type { LogicalCommit, TaskView } from "./task-view.ts";

/** A value of a key from a number of commits on; `null`: the key is not there. */
interface Version {
  /** How many commits make it so. */
  readonly from: number;
  readonly value: string | null;
  readonly commit: LogicalCommit;
}

/** What the stores of a task held behind each of its commits. */
export class StoreVersions {
  readonly #task: TaskView;
  readonly #versions = new Map<string, Version[]>();

  /** For a task of which every commit is known, but for what nobody knows at its end. */
  constructor(task: TaskView) {
    this.#task = task;
    for (const commit of [...task.chain, ...task.tail]) {
      for (const { store, puts, deletes } of commit.invoke.state) {
        for (const [key, value] of puts) {
          this.#add(store, key, { from: commit.sequence + 1, value, commit });
        }
        for (const key of deletes) {
          this.#add(store, key, { from: commit.sequence + 1, value: null, commit });
        }
      }
    }
  }

  /** How many commits may have counted while the lines from one to another were written. */
  between(from: number, to: number): { readonly least: number; readonly most: number } {
    const { chain, tail } = this.#task;
    const least = chain.findLastIndex(({ knownAt }) => knownAt < from) + 1;
    const later = chain.findIndex(({ calls }) => calls.every((call) => call.from > to));
    const most = later === -1 ? chain.length + Math.min(tail.length, 1) : later;
    return { least, most };
  }

  /** Whether a key had a value behind some number of commits between two. */
  held(asked: {
    readonly store: string;
    readonly key: string;
    readonly value: string | null;
    readonly least: number;
    readonly most: number;
  }): boolean {
    const { value, least, most } = asked;
    const versions = this.#versions.get(keyOf(asked.store, asked.key)) ?? [];
    const before = versions.findLast(({ from }) => from <= least)?.value ?? null;
    return (
      before === value ||
      versions.some((version) => version.from > least && version.from <= most && version.value === value)
    );
  }

  /** The keys that a store had all the time between two numbers of commits. */
  keysOf(store: string, { least, most }: { readonly least: number; readonly most: number }): readonly string[] {
    const prefix = keyOf(store, "");
    return [...this.#versions].flatMap(([id, versions]) => {
      const before = versions.findLast(({ from }) => from <= least)?.value ?? null;
      const isGone = versions.some(({ from, value }) => value === null && from > least && from <= most);
      return id.startsWith(prefix) && before !== null && !isGone ? [id.slice(prefix.length)] : [];
    });
  }

  /** The commits that changed a key. */
  writersOf(store: string, key: string): readonly LogicalCommit[] {
    return (this.#versions.get(keyOf(store, key)) ?? []).map(({ commit }) => commit);
  }

  /** What a store holds behind so many commits. */
  contents(store: string, commits: readonly LogicalCommit[]): ReadonlyMap<string, string> {
    const held = new Map<string, string>();
    for (const { invoke } of commits) {
      for (const change of invoke.state.filter((of) => of.store === store)) {
        for (const [key, value] of change.puts) {
          held.set(key, value);
        }
        for (const key of change.deletes) {
          held.delete(key);
        }
      }
    }
    return held;
  }

  #add(store: string, key: string, version: Version): void {
    const id = keyOf(store, key);
    const known = this.#versions.get(id);
    if (known === undefined) {
      this.#versions.set(id, [version]);
    } else {
      known.push(version);
    }
  }
}

function keyOf(store: string, key: string): string {
  return `${store.length}:${store}${key}`;
}
