import { json, topic } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { decidingAmong, decisionsOf, type FailurePolicy } from "../../src/topology/failure.ts";
import {
  controlTopic,
  type FailureTarget,
  failureTarget,
  letterTopics,
  rawText,
} from "../../src/topology/failure-target.ts";
import { orders } from "../support/topics.ts";

const codec = json(t.unknown);
const keyless = topic("keyless", { codec, key: null });
const policy = (rest: Partial<FailurePolicy> = {}): FailurePolicy => ({
  onError: "deadLetter",
  decisions: decisionsOf(rest.onError ?? "deadLetter"),
  topic: null,
  codec: null,
  mayPark: true,
  ...rest,
});
function targetOf(rest: Partial<FailurePolicy> = {}, source: typeof orders | typeof keyless = orders): FailureTarget {
  const made = failureTarget(policy(rest), { name: "enrich", label: "map enrich", codec, source, group: "app.copy" });
  if (made === null) {
    throw new Error("no target");
  }
  return made;
}

describe("where an operator's failures lead", () => {
  it("is a topic of the group and of the topic that is read, and a store of the operator's own", () => {
    const { letters } = targetOf();
    expect(letters?.topic).toMatchObject({ name: "app.copy.orders.dead-letters", partitions: null, key: null });
    expect(letters?.store).toBe("enrich!letters");
    expect(letters?.topic.codec).toBe(rawText);
  });

  it("is nowhere without a policy", () => {
    const of = { name: "enrich", label: "map enrich", codec, source: orders, group: "app.copy" };
    expect(failureTarget(null, of)).toBeNull();
  });

  it("is the topic that was said", () => {
    expect(targetOf({ topic: "letters" }).letters?.topic.name).toBe("letters");
  });

  it("is not named twice after the group behind a change of key", () => {
    const through = topic("app.copy.byId.repartition", { codec, key: null });
    expect(targetOf({}, through).letters?.topic.name).toBe("app.copy.byId.repartition.dead-letters");
    // A topic whose name only begins like the group's is another one.
    const alike = topic("app.copying", { codec, key: null });
    expect(targetOf({}, alike).letters?.topic.name).toBe("app.copy.app.copying.dead-letters");
  });

  it.each(["skip", "quarantine"] as const)("is nowhere where letters are never written: %s", (onError) => {
    expect(targetOf({ onError }).letters).toBeNull();
  });

  it.each(["deadLetter", "park", () => "skip" as const] as const)("is somewhere where they may be: %s", (onError) => {
    expect(targetOf({ onError }).letters).not.toBeNull();
  });

  it("writes the input with the codec that was said, or that of the values", () => {
    const own = json(t.string);
    expect(targetOf().codec).toBe(codec);
    expect(targetOf({ codec: own }).codec).toBe(own);
  });

  it("may park only where there are keys, and the operator keeps them in order", () => {
    expect(targetOf().policy.mayPark).toBe(true);
    expect(targetOf({}, keyless).policy.mayPark).toBe(false);
    expect(targetOf({ mayPark: false }).policy.mayPark).toBe(false);
  });

  it("cannot have a name that is too long for a topic", () => {
    const long = topic("x".repeat(195), { codec, key: null });
    expect(() => targetOf({}, long)).toThrow(expect.objectContaining({ _tag: "InvalidName" }) as Error);
    expect(() => controlTopic([targetOf()], long, "app.copy")).toThrow(
      expect.objectContaining({ _tag: "InvalidName" }) as Error,
    );
  });
});

describe("the topics beside a topic that is read", () => {
  it("are those that letters go to, each once", () => {
    const targets = [targetOf(), targetOf({ topic: "a" }), targetOf({ onError: "skip" }), targetOf({ topic: "a" })];
    expect(letterTopics(targets).map(({ name }) => name)).toEqual(["app.copy.orders.dead-letters", "a"]);
    expect(letterTopics([])).toEqual([]);
  });

  it("have one for what is asked, where there is something to ask", () => {
    const skips = targetOf({ onError: "skip" });
    expect(controlTopic([skips, targetOf()], orders, "app.copy")?.name).toBe("app.copy.orders.control");
    expect(controlTopic([targetOf({ onError: "quarantine" })], orders, "app.copy")?.name).toBe(
      "app.copy.orders.control",
    );
    expect(controlTopic([skips], orders, "app.copy")).toBeNull();
    const neither = targetOf({ onError: decidingAmong(["skip", "fail"], () => "skip") });
    expect(controlTopic([neither], orders, "app.copy")).toBeNull();
    expect(controlTopic([], orders, "app.copy")).toBeNull();
  });
});

describe("text as it is", () => {
  it.each(["", "{", "\u0000", "half \ud83d"])("is neither changed nor refused: %j", (text) => {
    expect(rawText.encode(text)).toEqual(E.right(text));
    expect(rawText.decode(text)).toEqual(E.right(text));
  });
});
