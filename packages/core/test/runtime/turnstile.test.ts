import { describe, expect, it } from "vitest";
import { Turnstile } from "../../src/runtime/turnstile.ts";
import { settled } from "../support/collect.ts";

describe("a turnstile", () => {
  it("lets through whoever comes, as long as nobody closes it", async () => {
    const turnstile = new Turnstile();
    expect(turnstile.isClosed).toBe(false);
    await turnstile.pass();
    await turnstile.pass();
  });

  it("holds everybody while it is closed, and lets them go in the order in which they came", async () => {
    const turnstile = new Turnstile();
    const passed: number[] = [];
    turnstile.close();
    expect(turnstile.isClosed).toBe(true);
    for (const n of [1, 2, 3]) {
      void turnstile.pass().then(() => passed.push(n));
    }
    await settled();
    expect(passed).toEqual([]);
    turnstile.open();
    await settled();
    expect(passed).toEqual([1, 2, 3]);
  });

  it("that is opened and closed at once lets nobody through", async () => {
    const turnstile = new Turnstile();
    const passed: number[] = [];
    turnstile.close();
    void turnstile.pass().then(() => passed.push(1));
    await settled();
    turnstile.open();
    turnstile.close();
    await settled();
    expect(passed).toEqual([]);
    turnstile.open();
    await settled();
    expect(passed).toEqual([1]);
  });

  it("may be opened and closed any number of times", async () => {
    const turnstile = new Turnstile();
    turnstile.open();
    turnstile.open();
    turnstile.close();
    turnstile.close();
    turnstile.open();
    expect(turnstile.isClosed).toBe(false);
    await turnstile.pass();
  });
});
