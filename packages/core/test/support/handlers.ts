import type { Call } from "@millrace/core";
import { settled } from "./collect.ts";

/** A call of a handler that waits until the test ends it. */
export interface OpenCall<A, B> {
  readonly value: A;
  readonly call: Call;
  resolve(result: B): Promise<void>;
  reject(reason: unknown): Promise<void>;
}

/** A handler whose calls end when, and as, the test says. */
export class Handlers<A, B> {
  /** Every value that a handler was called with, in order. */
  readonly started: A[] = [];
  /** The calls that have not ended. */
  readonly open: OpenCall<A, B>[] = [];

  readonly handle = (value: A, _record: unknown, call: Call): Promise<B> => {
    this.started.push(value);
    return new Promise<B>((resolve, reject) => {
      const end = (how: () => void): Promise<void> => {
        this.open.splice(this.open.indexOf(opened), 1);
        how();
        return settled();
      };
      const opened: OpenCall<A, B> = {
        value,
        call,
        resolve: (result) => end(() => resolve(result)),
        reject: (reason) => end(() => reject(reason)),
      };
      this.open.push(opened);
    });
  };

  /** The open call with that value. */
  of(value: A): OpenCall<A, B> {
    const found = this.open.find((opened) => opened.value === value);
    if (found === undefined) {
      throw new Error(`no open call with ${String(value)}`);
    }
    return found;
  }
}
