/** How often each call came to each answer, over all sequences. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  /** One more of this call with this answer. */
  count(call: string, answer: string): void {
    const key = `${call} → ${answer}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** How often a call came to an answer. */
  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** All counts, by name. */
  toString(): string {
    const lines = [...this.#counts].toSorted(([one], [two]) => (one < two ? -1 : 1));
    return lines.map(([key, count]) => `${String(count).padStart(9)}  ${key}`).join("\n");
  }
}
