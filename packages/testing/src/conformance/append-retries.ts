import { compareOffsets, type Log, type NewRecord, type TopicInfo } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contents } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { appendOf, record } from "./requests.ts";
import { useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

const PARTITIONS = 2;
const PRODUCERS = ["a", "b", "c"];

/** One call of a producer: `count` records from a sequence `back` before (or, if negative, behind) the expected one. */
interface Step {
  readonly partition: number;
  readonly back: number;
  readonly count: number;
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    partition: fc.nat(PARTITIONS - 1),
    back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 6 })),
    count: fc.integer({ min: 1, max: 5 }),
  }),
  { maxLength: 12 },
);

/** What a producer sends under a sequence is a function of it, so the log's content says what was appended. */
function sent(producer: string, sequence: number): NewRecord {
  return record(`${producer}:${sequence}`, { key: producer, timestampMs: sequence });
}

/** Carries out a producer's steps and returns how many records it then has in each partition. */
async function produce(
  log: Log,
  topic: TopicInfo,
  plan: { producer: string; steps: readonly Step[] },
): Promise<number[]> {
  const { producer } = plan;
  const expected = Array.from({ length: PARTITIONS }, () => 0);
  for (const { partition, back, count } of plan.steps) {
    const next = expected[partition] ?? 0;
    const firstSequence = Math.max(0, next - back);
    const content = Array.from({ length: count }, (_, n) => sent(producer, firstSequence + n));
    const call = log.append(appendOf(topic, content, { partition, producer, firstSequence }));
    if (firstSequence > next) {
      await refused(call, "SequenceGap");
    } else {
      expected[partition] = next + (await ok(call));
    }
  }
  return expected;
}

/** Appends by several producers at once, with repeats, overlaps and gaps, against a model. */
export function describeAppendRetries(spec: PortsConformance): void {
  describe("appends that interleave and repeat", () => {
    const rig = useRig(spec);

    it("leave every record once, in the order of its producer", async () => {
      const property = fc.asyncProperty(fc.tuple(steps, steps, steps), async (plans) => {
        const { log } = rig.ports;
        const topic = await rig.topic(PARTITIONS);
        const counts = await Promise.all(
          PRODUCERS.map((producer, n) => produce(log, topic, { producer, steps: plans[n] ?? [] })),
        );
        for (let partition = 0; partition < PARTITIONS; partition++) {
          const found = await contents(log, topic, partition);
          const offsets = found.map(({ offset }) => offset);
          expect(offsets).toEqual(offsets.toSorted(compareOffsets));
          for (const [n, producer] of PRODUCERS.entries()) {
            const model = Array.from({ length: counts[n]?.[partition] ?? 0 }, (_, s) => sent(producer, s).payload);
            expect(found.filter(({ key }) => key === producer).map(({ payload }) => payload)).toEqual(model);
          }
        }
      });
      await fc.assert(property, { numRuns: 30 });
    });
  });
}
