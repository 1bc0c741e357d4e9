import { describe, expect, it } from "vitest";
import { Places } from "../../src/operators/limiter.ts";

describe("the places of a limiter", () => {
  it("go to whoever waits longest", () => {
    const places = new Places(1);
    const woken: string[] = [];
    const wakes = ["a", "b", "c"].map((name) => () => {
      woken.push(name);
    });
    expect(places.take(() => {})).toBe(true);
    for (const wake of wakes) {
      expect(places.take(wake)).toBe(false);
    }
    places.free();
    expect(woken).toEqual(["a"]);
    places.free();
    expect(woken).toEqual(["a", "b"]);
  });

  it("are not lost to somebody who was served meanwhile", () => {
    const places = new Places(2);
    const woken: string[] = [];
    const a = (): void => void woken.push("a");
    const b = (): void => void woken.push("b");
    places.take(a);
    places.take(a);
    expect([places.take(a), places.take(b)]).toEqual([false, false]);
    places.free();
    expect(woken).toEqual(["a"]);
    // Served, and waiting for nothing any more.
    expect(places.take(a)).toBe(true);
    places.free();
    expect(woken).toEqual(["a", "b"]);
  });

  it("are passed on by somebody who leaves", () => {
    const places = new Places(1);
    const woken: string[] = [];
    const a = (): void => void woken.push("a");
    const b = (): void => void woken.push("b");
    places.take(() => {});
    places.take(a);
    places.take(b);
    places.free();
    expect(woken).toEqual(["a"]);
    places.leave(a);
    expect(woken).toEqual(["a", "b"]);
  });
});
