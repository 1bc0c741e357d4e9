/** What calls are given: programs in JavaScript have nobody else who tells them. */
import { kindOf } from "./option-names.ts";
import { TestDriverError } from "./test-driver-error.ts";

/** Throws `InvalidCall` for what is no topic. */
export function checkTopic(topic: unknown): void {
  if (typeof topic !== "object" || topic === null || !("codec" in topic && "name" in topic)) {
    throw new TestDriverError("InvalidCall", `a topic must be made by topic(…), and is ${kindOf(topic)}`);
  }
}

/** Throws `InvalidCall` for what nobody can wait for. */
export function checkPromise(call: string, given: unknown): void {
  if (typeof given !== "object" || given === null || !("then" in given)) {
    const text = `${call}: a promise is waited for, not ${kindOf(given)}`;
    throw new TestDriverError("InvalidCall", typeof given === "function" ? `${text}: call it` : text);
  }
}
