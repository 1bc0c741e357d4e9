import { compareOffsets, type NewRecord } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { contents } from "./contents.ts";
import { ok } from "./outcome.ts";
import { appendOf, commitOf, record, records } from "./requests.ts";
import { need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

const TEXTS = ["", " ", "plain", "Straße, 東京, 🚂🌾", "a\nb\r\nc\td", "\u0000\u0001", '{"a":"\\"b"}', "{slot}:*?[x]"];

const CASES: readonly (readonly [string, readonly NewRecord[]])[] = [
  ["keys", TEXTS.map((key) => record("x", { key }))],
  ["payloads", TEXTS.map((text) => record(text))],
  ["header values", TEXTS.map((text) => record("x", { headers: { text } }))],
  ["header names", TEXTS.map((name) => record("x", { headers: { [name]: "x" } }))],
  [
    "several headers, some, or none",
    [
      record("x", { headers: { a: "1", b: "2", traceparent: "00-0af7-b7ad-01" } }),
      record("x", { headers: {} }),
      record("x", { headers: { constructor: "x", toString: "y" } }),
    ],
  ],
  [
    "event times, from before 1970 too",
    [0, 1, -1, 1_700_000_000_000, -62_135_596_800_000, 8_640_000_000_000_000].map((timestampMs) =>
      record("x", { timestampMs }),
    ),
  ],
  [
    "watermarks, none and infinite ones too",
    [null, 0, -1, 1_700_000_000_000, -Infinity, Infinity].map((watermarkMs) => record("x", { watermarkMs })),
  ],
  ["a large payload", [record("small"), record("é🚂".repeat(150_000)), record("small again")]],
  ["a large key", [record("x", { key: "k".repeat(100_000) })]],
  ["many records in one call", records(2000)],
];

/** Every field of a record, written by producers and by tasks, comes back as it was. */
export function describeRecords(spec: PortsConformance): void {
  describe("records", () => {
    const rig = useRig(spec);

    it.each(CASES)("come back from a producer as they were: %s", async (_, content) => {
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, content)));
      const found = await contents(rig.ports.log, topic);
      expect(found.map(written)).toEqual(content);
    });

    it.each(CASES)("come back from a task as they were: %s", async (_, content) => {
      const { log, tasks } = rig.ports;
      const topic = await rig.topic();
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      await ok(tasks.commit(commitOf(task, owner, { outputs: [{ topic, partition: 0, records: content }] })));
      const found = await contents(log, topic);
      expect(found.map(written)).toEqual(content);
    });

    it("say how large they are, and that nothing is wrong with them", async () => {
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, [record(""), record("x".repeat(10_000))])));
      const [small, large] = await contents(rig.ports.log, topic);
      expect(small?.problem).toBeNull();
      expect(large?.problem).toBeNull();
      expect(small?.bytes).toBeGreaterThan(0);
      expect(large?.bytes).toBeGreaterThanOrEqual(10_000);
    });

    it("say when they were appended, by the store's clock, whoever wrote them and whatever their own times are", async ({
      skip,
    }) => {
      const now = need(rig.target.now, skip);
      const { log, tasks } = rig.ports;
      const topic = await rig.topic();
      const task = await rig.task();
      const owner = await ok(tasks.acquire(task, 1));
      const content = [-1, 0, 8_640_000_000_000_000].map((timestampMs) => record("x", { timestampMs }));
      const startMs = await now();
      await ok(log.append(appendOf(topic, content)));
      const betweenMs = await now();
      await ok(tasks.commit(commitOf(task, owner, { outputs: [{ topic, partition: 0, records: content }] })));
      const endMs = await now();
      const found = (await contents(log, topic)).map(({ appendedMs }) => appendedMs);
      expect(found.every(Number.isInteger)).toBe(true);
      expect(found.slice(0, 3).every((ms) => startMs <= ms && ms <= betweenMs)).toBe(true);
      expect(found.slice(3).every((ms) => betweenMs <= ms && ms <= endMs)).toBe(true);
      expect(found).toHaveLength(6);
    });

    it("were never appended before the record in front of them, and at the same time for every reader", async () => {
      const { log } = rig.ports;
      const other = await rig.open();
      const topic = await rig.topic();
      for (let n = 0; n < 20; n += 1) {
        await ok((n % 2 === 0 ? log : other.log).append(appendOf(topic, records(n + 1), { producer: `p${n}` })));
      }
      const found = (await contents(log, topic)).map(({ appendedMs }) => appendedMs);
      expect(found).toHaveLength(210);
      expect(found).toEqual(found.toSorted((a, b) => a - b));
      expect((await contents(other.log, topic)).map(({ appendedMs }) => appendedMs)).toEqual(found);
    });

    it("have offsets that stay the same for every reader", async () => {
      const other = await rig.open();
      const topic = await rig.topic();
      await ok(rig.ports.log.append(appendOf(topic, records(5))));
      const here = await contents(rig.ports.log, topic);
      const there = await contents(other.log, topic);
      expect(here).toHaveLength(5);
      for (const [n, { offset }] of here.entries()) {
        expect(compareOffsets(offset, there[n]?.offset ?? offset)).toBe(0);
      }
    });

    it("in the log do not change with what the caller does to them afterwards", async () => {
      const topic = await rig.topic();
      const headers: Record<string, string> = { a: "1" };
      const content = [record("x", { headers }), record("y")];
      const expected = structuredClone(content);
      await ok(rig.ports.log.append(appendOf(topic, content)));
      headers["a"] = "changed";
      content.reverse();
      const found = await contents(rig.ports.log, topic);
      for (const one of found) {
        // A frozen record throws here, which is as good.
        expect([true, false]).toContain(Reflect.set(one, "payload", "changed"));
        expect([true, false]).toContain(Reflect.set(one.headers, "a", "changed"));
      }
      expect((await contents(rig.ports.log, topic)).map(written)).toEqual(expected);
    });
  });
}

/** The part of a stored record that its writer decided. */
function written({ key, timestampMs, payload, headers, watermarkMs }: NewRecord): NewRecord {
  return { key, timestampMs, payload, headers, watermarkMs };
}
