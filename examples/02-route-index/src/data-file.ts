import { fileURLToPath } from "node:url";

/** The path of a file of the package vega-datasets. */
export function dataFile(name: string): string {
  return fileURLToPath(new URL(`../data/${name}`, import.meta.resolve("vega-datasets")));
}
