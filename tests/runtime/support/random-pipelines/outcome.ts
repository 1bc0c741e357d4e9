/** What a play has left behind: every value and every letter, where it lies. */
import { BEFORE_FIRST, compareOffsets, type Offset, type Ports, type StoredRecord } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { outTopicOf } from "./build.ts";
import { type Model, type Value, type Visit, visitId } from "./model.ts";
import type { Played } from "./play.ts";
import { GROUP, LETTERS, SOURCE } from "./shape.ts";

/** A value in the topic of an end. */
interface Output {
  readonly value: Value;
  readonly partition: number;
}

/** A letter in its topic. */
export interface Letter {
  readonly id: string;
  readonly node: string;
  readonly number: number;
  readonly partition: number;
  /** The topic that its task reads. */
  readonly topic: string;
  readonly isParked: boolean;
  readonly isBehind: boolean;
  readonly isOpen: boolean;
  readonly value: Value;
  /** Where its operator was when it failed; `undefined` for a letter that no plan knows. */
  readonly visit: Visit | undefined;
}

export interface Outcome extends Played {
  /** By the name of the end, partition after partition, in the order of the topic. */
  readonly outputs: ReadonlyMap<string, readonly Output[]>;
  readonly letters: readonly Letter[];
}

/** Reads everything. */
export async function outcomeOf(played: Played): Promise<Outcome> {
  const { shape, ports } = played;
  const outputs = new Map<string, readonly Output[]>();
  for (const { end } of shape.branches) {
    const records = await contents(ports, outTopicOf(end));
    const values = records.map(({ payload, partition }) => ({ value: JSON.parse(payload), partition }));
    outputs.set(end.name, values);
  }
  const all = [...shape.trunk, ...shape.branches.flatMap(({ operators }) => operators)];
  const parts = all.flatMap(({ kind, node }) => (kind === "partitionBy" ? [`${GROUP}.${node}`] : []));
  const letters: Letter[] = [];
  const own = [`${GROUP}.${SOURCE}`, ...parts].map((topic) => `${topic}.dead-letters`);
  for (const topic of [...own, LETTERS]) {
    const records = await contents(ports, topic);
    letters.push(...records.map((record) => letterOf(record, played)));
  }
  return { ...played, outputs, letters };
}

function letterOf({ payload, headers }: StoredRecord, { model, shape, open }: Played): Letter {
  const { node, number, partition, topic, isParked, isBehind } = JSON.parse(headers["millrace.dead-letter"] ?? "{}");
  const value: Value = JSON.parse(payload);
  const id = `${node}/${partition}/${number}`;
  const all = [shape.stream, ...shape.trunk, ...shape.branches.flatMap(({ operators, end }) => [...operators, end])];
  const operator = all.find((one) => one.node === node);
  const visit = operator && model.visits.get(visitId(operator, value.id));
  const isOpen = open.some((letter) => letter.id === id);
  return { id, node, number, partition, topic, isParked, isBehind, isOpen, value, visit };
}

/** The letter that a visit has become, by the visit. */
export function lettersByVisit({ letters }: Outcome): ReadonlyMap<Visit, Letter> {
  return new Map(letters.flatMap((letter) => (letter.visit === undefined ? [] : [[letter.visit, letter] as const])));
}

/** Whether a value can have been dropped at a visit by the policy; whether it must have been. */
export function skipAt(model: Model, visit: Visit): "never" | "perhaps" | "always" {
  const { operator, value } = visit;
  if (model.decision(operator, value.n) !== "skip" || !model.mayGiveUp(visit)) {
    return "never";
  }
  return model.failure(operator, value)?.kind === "forever" ? "always" : "perhaps";
}

/** Whether a letter can have been discarded rather than redriven. */
export function mayBeDiscarded({ requests }: Outcome, letter: Letter): boolean {
  return !letter.isOpen && requests.discarded.has(letter.id);
}

/** All records of a topic, partition after partition; none where the topic was never made. */
async function contents(
  ports: Ports,
  name: string,
): Promise<readonly (StoredRecord & { readonly partition: number })[]> {
  const ensured = await ports.log.ensureTopic({ name, partitions: null, defaultPartitions: 1 })();
  if (E.isLeft(ensured)) {
    throw new Error(ensured.left.message);
  }
  const topic = ensured.right;
  const times = await ports.log.times(topic)();
  const all: (StoredRecord & { readonly partition: number })[] = [];
  for (let partition = 0; partition < topic.partitions; partition += 1) {
    const end: Offset = E.isRight(times) ? (times.right.partitions[partition]?.end ?? BEFORE_FIRST) : BEFORE_FIRST;
    const reader = ports.log.reader(topic, partition, BEFORE_FIRST);
    for (let position: Offset = BEFORE_FIRST; compareOffsets(position, end) < 0; ) {
      const batch = await reader.next({ maxRecords: 1_000_000, maxBytes: Number.POSITIVE_INFINITY });
      if (E.isLeft(batch) || batch.right.records.length === 0) {
        throw new Error(`${name}/${partition} does not read`);
      }
      all.push(...batch.right.records.map((record) => ({ ...record, partition })));
      position = batch.right.records.at(-1)?.offset ?? end;
    }
    reader.close();
  }
  return all;
}
