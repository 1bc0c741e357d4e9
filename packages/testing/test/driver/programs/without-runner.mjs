// No runner at all, with globals as jest has them: a failing test makes the process fail. Ends although nothing is closed.
import assert from "node:assert/strict";
import { createTestDriver } from "@millrace/testing";
import { minutes, orders, perMinute } from "./pipeline.mjs";

const test = async (name, body) => {
  try {
    await body();
    process.stdout.write(`ok ${name}\n`);
  } catch (error) {
    process.exitCode = 1;
    process.stdout.write(`not ok ${name}: ${error.stack}\n`);
  }
};
const expect = (actual) => ({ toEqual: (expected) => assert.deepEqual(actual, expected) });

await test("the end of the input closes the last minute", async () => {
  const driver = await createTestDriver(minutes, { startMs: 0, partitions: 2 });
  await driver.send(orders, { customer: "ann", at: 1_000 });
  expect(await driver.values(perMinute)).toEqual([]);
  await driver.end(orders);
  expect(await driver.values(perMinute)).toEqual([{ customer: "ann", n: 1 }]);
});

await test("a driver that nobody closes keeps no process alive", async () => {
  const driver = await createTestDriver(minutes);
  await driver.send(orders, { customer: "bob", at: 1_000 });
});
