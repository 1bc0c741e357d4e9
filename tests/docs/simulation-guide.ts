import { createApp, json, pipeline, sink, sleep, stream, topic } from "@millrace/core";
import { memoryAdapter } from "@millrace/testing";
import { Scheduler, SimulatedAdapter, SimulatedProcess } from "@millrace/testing/simulation";
import * as t from "io-ts";

const Order = t.type({ customer: t.string, n: t.number });
const orders = topic("orders", { codec: json(Order), key: (order) => order.customer });
const copied = topic("copied", { codec: json(Order), key: (order) => order.customer });
const plan = pipeline("copy", stream(orders).pipe(sink(copied)));

/** Copies orders with two workers, of which one dies on the way; returns what was copied, and how long it took. */
export function copyUnderFaults(
  seed: number,
): Promise<{ readonly numbers: readonly number[]; readonly tookMs: number }> {
  const scheduler = new Scheduler(seed);
  const server = new SimulatedProcess(scheduler, "store");
  const store = memoryAdapter({ clock: server });
  const weather = { latencyMs: 20, breaks: 0, doubles: 0.01, lostHints: 0.5 };
  const program = (name: string) => {
    const process = new SimulatedProcess(scheduler, name);
    const ends = { scheduler, client: process, server, random: scheduler.random, weather };
    const adapter = new SimulatedAdapter(store, ends);
    const app = createApp({ name: "app", adapter, clock: process, member: { id: name, session: "1 s" } });
    return { process, adapter, app };
  };
  return scheduler.play(async () => {
    const startMs = scheduler.nowMs;
    const [one, two, loader] = [program("one"), program("two"), program("loader")];
    await one.app.run(plan);
    const running = await two.app.run(plan);
    const producer = await loader.app.producer(orders, { id: "loader" });
    const sent = producer.sendAll(Array.from({ length: 50 }, (_, n) => ({ customer: `c${n % 5}`, n })));
    await sleep(scheduler.outside, 500);
    one.process.kill();
    two.adapter.break();
    await sent;
    await producer.end();
    await running.done;
    const tookMs = scheduler.nowMs - startMs;
    const numbers: number[] = [];
    const reader = createApp({ name: "reader", adapter: store, clock: scheduler.outside });
    await reader.observe(copied, { from: "start", untilEnd: true }).forEach(({ value }) => void numbers.push(value.n));
    return { numbers, tookMs };
  }, 60_000);
}
