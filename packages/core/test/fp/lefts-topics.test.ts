import { json, pipeline, sink, stream, topic } from "@millrace/core";
import { mapOrderedTE } from "@millrace/core/fp";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import { expect, it } from "vitest";
import { compiled } from "../support/plan.ts";

const Order = t.type({ id: t.string });
const orders = topic("orders", { codec: json(Order), key: (order) => order.id });
const charged = topic("charged", { codec: json(Order), key: (order) => order.id });

it.each([
  ["skip", []],
  ["deadLetter", ["app.p.orders.dead-letters"]],
] as const)("Lefts that are decided by %s need these topics for letters: %j", (onLeft, letters) => {
  const plan = pipeline(
    "p",
    stream(orders).pipe(
      mapOrderedTE((order) => TE.right<Error, { id: string }>(order), { onLeft }),
      sink(charged),
    ),
  );
  const [part] = compiled(plan);
  expect(part?.letterTopics.map(({ name }) => name)).toEqual(letters);
  expect(part?.control === null).toBe(letters.length === 0);
});
