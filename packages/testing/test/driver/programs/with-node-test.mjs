// A test file for node's own runner: `node --test with-node-test.mjs`.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createTestDriver, TestDriverError } from "@millrace/testing";
import { minutes, orders, perMinute } from "./pipeline.mjs";

describe("orders of a minute", () => {
  let driver;

  before(async () => {
    driver = await createTestDriver(minutes);
  });

  after(() => driver.close());

  it("are counted when the minute is over", async () => {
    await driver.send(orders, [
      { customer: "ann", at: 1_000 },
      { customer: "ann", at: 2_000 },
      { customer: "ann", at: 60_000 },
    ]);
    assert.deepEqual(await driver.values(perMinute), [{ customer: "ann", n: 2 }]);
  });

  it("are counted once, although a worker crashes", async () => {
    await driver.crash();
    await driver.addWorker();
    await driver.advance("10 s");
    await driver.send(orders, { customer: "ann", at: 120_000 });
    assert.deepEqual(
      (await driver.values(perMinute)).map(({ n }) => n),
      [2, 1],
    );
  });

  it("are nothing to read elsewhere", async () => {
    await assert.rejects(driver.read({ ...orders, name: "others" }), TestDriverError);
  });
});
