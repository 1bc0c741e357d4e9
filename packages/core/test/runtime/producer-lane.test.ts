import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { NewRecord } from "../../src/ports/log.ts";
import { type Pending, ProducerLane } from "../../src/runtime/producer-lane.ts";

const pending = (payload: string): Pending => ({
  record: { key: "", timestampMs: 0, payload, headers: {}, watermarkMs: null },
  resolve: () => {},
  reject: () => {},
});
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("what a producer has for one partition goes in order, one batch at a time, numbered without gaps", async () => {
  const step = fc.constantFrom("push", "answer", "wait");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const appended: { readonly first: number; readonly records: readonly NewRecord[] }[] = [];
      let answers: (() => void)[] = [];
      let most = 0;
      const lane = new ProducerLane(
        { partition: 0, alreadyStored: 0 },
        {
          append: (_partition, first, records) => {
            appended.push({ first, records });
            return new Promise((resolve) => {
              answers.push(resolve);
              most = Math.max(most, answers.length);
            });
          },
          stored: () => {},
          failed: (error) => {
            throw error;
          },
        },
      );
      const answer = async (): Promise<void> => {
        const [first, ...others] = answers;
        answers = others;
        first?.();
        await soon();
      };
      let pushed = 0;
      for (const each of steps) {
        if (each === "push") {
          lane.push(pending(String(pushed)));
          pushed += 1;
        } else {
          await (each === "answer" ? answer() : soon());
        }
      }
      await soon();
      for (let left = steps.length; left > 0; left -= 1) {
        await answer();
      }
      expect(most).toBeLessThanOrEqual(1);
      const numbered = appended.flatMap(({ first, records }) => records.map(({ payload }, n) => [first + n, payload]));
      expect(numbered).toEqual(Array.from({ length: pushed }, (_, n) => [n, String(n)]));
    }),
  );
});
