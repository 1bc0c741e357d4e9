import { count, json, map, pipeline, sink, stream, topic, tumbling, window } from "@millrace/core";
import * as t from "io-ts";

export const orders = topic("orders", {
  codec: json(t.type({ customer: t.string, at: t.number })),
  key: ({ customer }) => customer,
  timestamp: ({ at }) => at,
});

export const perMinute = topic("per-minute", {
  codec: json(t.type({ customer: t.string, n: t.number })),
  key: ({ customer }) => customer,
});

export const minutes = pipeline(
  "minutes",
  stream(orders).pipe(
    window(tumbling("1 minute"), { n: count() }, { grace: "0 s" }),
    map(({ key, value }) => ({ customer: key, n: value.n })),
    sink(perMinute),
  ),
);
