import { HandlerError } from "@millrace/core";
import { LeftError } from "@millrace/core/fp";
import { describe, expect, it } from "vitest";

describe("LeftError", () => {
  it("carries the left, and names its tag", () => {
    const left = { _tag: "CardDeclined", card: "4111 1111" };
    const error = new LeftError(left);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "LeftError", _tag: "LeftError" });
    expect(error.left).toBe(left);
    expect(error.message).toBe("the function answered with a Left: CardDeclined");
  });

  it.each<[string, unknown]>([
    ["text", "secret payload"],
    ["nothing", undefined],
    ["null", null],
    ["an error", new RangeError("secret payload")],
    ["an object without a tag", { secret: "payload" }],
    ["an object whose tag is no text", { _tag: { secret: "payload" } }],
    ["an object whose tag is no name", { _tag: "secret payload" }],
    ["an object whose tag is too long for one", { _tag: "secret".repeat(100) }],
  ])("shows nothing of a left that is %s", (_what, left) => {
    expect(new LeftError(left).message).toBe("the function answered with a Left");
  });

  it("is known by its kind where another error has it as cause", () => {
    const error = new HandlerError("charge", null, new LeftError("secret payload"));
    expect(error.message).toContain("LeftError");
    expect(error.message).not.toContain("secret");
  });
});
