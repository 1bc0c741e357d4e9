import { createTestDriver } from "@millrace/testing";
import { expect, it } from "vitest";
import { airportDays, worstAirports } from "../src/pipelines.ts";
import { type Flight, flights, resultTopics } from "../src/topics.ts";

const topics = resultTopics(4);
const pipelines = [airportDays(topics), worstAirports(topics)];

/** A flight that leaves so many hours after the year 2001 has begun, so many minutes late. */
function flight(origin: string, hour: number, delay: number): Flight {
  return { origin, destination: "PHL", at: Date.UTC(2001, 0, 1, hour), delay, distance: 800 };
}

it("counts the flights of a day, also those that come out of order", async () => {
  await using driver = await createTestDriver(pipelines);
  await driver.send(flights, [flight("LAS", 22, 10), flight("LAS", 24, 0), flight("LAS", 23, 30)]);
  expect(await driver.values(topics.days)).toEqual([]); // The day is open for another hour.
  await driver.send(flights, flight("LAS", 26, 0));
  expect(await driver.values(topics.days)).toMatchObject([{ day: "2001-01-01", flights: 2, meanDelay: 20 }]);
});

it("leaves out a flight that comes after its day is closed, and says so", async () => {
  await using driver = await createTestDriver(pipelines);
  await driver.send(flights, [flight("LAS", 22, 10), flight("LAS", 26, 0), flight("LAS", 23, 30)]);
  expect(await driver.values(topics.days)).toMatchObject([{ flights: 1, worstDelay: 10 }]);
  expect(driver.events.filter(({ _tag }) => _tag === "LateRecord")).toHaveLength(1);
});

it("counts each flight once, although a worker crashes in the middle of the day", async () => {
  const hours = Array.from({ length: 24 }, (_, hour) => flight(hour % 2 === 0 ? "LAS" : "PHX", hour, hour));
  await using driver = await createTestDriver(pipelines);
  await driver.send(flights, hours.slice(0, 12));
  await driver.crash();
  await driver.send(flights, hours.slice(12));
  await driver.addWorker();
  await driver.advance("10 s"); // The session of the one that has crashed is over: the other one has its tasks.
  await driver.end(flights);
  expect((await driver.values(topics.days)).map((row) => row.flights)).toEqual([12, 12]);
  const [ranking] = await driver.values(topics.rankings);
  expect(ranking?.origins.map(({ origin }) => origin)).toEqual(["PHX", "LAS"]);
});

it("puts aside what is no flight, and goes on", async () => {
  await using driver = await createTestDriver(pipelines);
  await driver.sendRaw(flights, { key: "LAS", payload: '{ "origin": "LAS" }' });
  await driver.send(flights, flight("LAS", 12, 0));
  await driver.end(flights);
  expect(await driver.deadLetters(flights)).toMatchObject([{ key: "LAS", errors: [{ name: "DecodeError" }] }]);
  expect(await driver.values(topics.days)).toMatchObject([{ origin: "LAS", flights: 1 }]);
});
