/** A promise and the function that resolves it. */
export class Deferred<A> {
  resolve: (value: A) => void = () => {};
  readonly promise = new Promise<A>((resolve) => {
    this.resolve = resolve;
  });
}
