/** Counts what happens between workers and store: while it grows, something is going on. */
export class Activity {
  private happened = 0;

  get count(): number {
    return this.happened;
  }

  note(): void {
    this.happened += 1;
  }
}
