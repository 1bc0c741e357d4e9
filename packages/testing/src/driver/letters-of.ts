import type { App, DeadLetter, Pipeline } from "@millrace/core";
import { sourceOf } from "./plan.ts";

/** More than a test has. */
const ALL_LETTERS = 1_000_000;

/** The open letters of a pipeline; `topic`: only those of its records. Rejects with `MillraceError`. */
export async function lettersOf(app: App, pipeline: Pipeline, topic: string | null): Promise<readonly DeadLetter[]> {
  const letters = await app.deadLetters(pipeline).list({ limit: ALL_LETTERS });
  const group = `${app.name}.${pipeline.name}`;
  return topic === null ? letters : letters.filter((letter) => sourceOf(pipeline, group, letter.topic) === topic);
}
