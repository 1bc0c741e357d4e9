import { createApp, MillraceError, pipeline, portError, type Running, sink, stream } from "@millrace/core";
import { doneTE, runTE } from "@millrace/core/fp";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { anything, orders } from "../support/topics.ts";

const copy = pipeline("copy", stream(orders).pipe(sink(anything)));
/** Pipelines that end as the promise does. */
const ending = (done: Promise<void>): Running => ({ done }) as Running;
const boom = new RangeError("boom");

describe("runTE", () => {
  it("is Left with the error of a store that cannot be used, and tries again each time that it is called", async () => {
    let opened = 0;
    const open = (): TE.TaskEither<ReturnType<typeof portError<"Unavailable">>, never> => () => {
      opened += 1;
      return Promise.resolve(E.left(portError("Unavailable", "nobody answers")));
    };
    const run = runTE(createApp({ name: "app", adapter: { name: "a", open } }), copy);
    expect(opened).toBe(0);
    for (const times of [1, 2]) {
      const result = await run();
      expect(result).toMatchObject({ left: { _tag: "Unavailable", retriable: true } });
      expect(E.isLeft(result) && result.left).toBeInstanceOf(MillraceError);
      expect(opened).toBe(times);
    }
  });

  it("is Left where the app refuses the pipelines", async () => {
    const adapter = { name: "a", open: () => TE.left(portError("Unavailable", "nobody answers")) };
    const result = await runTE(createApp({ name: "app", adapter }), [copy, copy])();
    expect(result).toMatchObject({ left: { _tag: "InvalidPipeline" } });
  });

  it("rejects with what is no error of Millrace's: a defect of the adapter", async () => {
    const open = (): never => {
      throw boom;
    };
    await expect(runTE(createApp({ name: "app", adapter: { name: "a", open } }), copy)()).rejects.toBe(boom);
  });
});

describe("doneTE", () => {
  it("is Right when the pipelines are done, Left with what has stopped them, and rejects with a defect", async () => {
    const stopped = new MillraceError("HandlerError", "no");
    expect(await doneTE(ending(Promise.resolve()))()).toEqual(E.right(undefined));
    expect(await doneTE(ending(Promise.reject(stopped)))()).toEqual(E.left(stopped));
    await expect(doneTE(ending(Promise.reject(boom)))()).rejects.toBe(boom);
  });
});
