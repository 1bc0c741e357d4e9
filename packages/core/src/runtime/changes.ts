/** Changes of a store since they were last taken; of several changes of one key the last one counts. */
export class Changes {
  private readonly changed = new Map<string, string | null>();

  /** `null` deletes the key. */
  set(key: string, value: string | null): void {
    this.changed.set(key, value);
  }

  take(): { readonly puts: [string, string][]; readonly deletes: string[] } {
    const puts: [string, string][] = [];
    const deletes: string[] = [];
    for (const [key, value] of this.changed) {
      if (value === null) {
        deletes.push(key);
      } else {
        puts.push([key, value]);
      }
    }
    this.changed.clear();
    return { puts, deletes };
  }
}
