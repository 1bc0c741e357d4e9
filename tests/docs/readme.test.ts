import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What the samples leave to the reader. */
const GIVEN = `
  import type { Adapter, App, Pipeline, Topic } from "@millrace/core";
  interface Order { readonly customerId: string; readonly total: number }
  declare global {
    const orders: Topic<Order>;
    const charged: Topic<Order>;
    const billing: Pipeline;
    const app: App;
    class NetworkError extends Error {}
    class UnknownProduct extends Error {}
    function price(order: Order): Order;
    function charge(order: Order): Promise<Order>;
    function enrich<A>(value: A, signal: AbortSignal): Promise<A>;
    function myAdapter(): Adapter;
  }
`;

const PAGES = [
  "README.md",
  "docs/guides/failures.md",
  "packages/core/README.md",
  "packages/redis-adapter/README.md",
  "packages/testing/README.md",
];

it.each(PAGES)(
  "the samples in %s compile as they stand",
  (page) => {
    const dir = join(ROOT, "node_modules/.cache/samples", dirname(page));
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    const samples = [...readFileSync(join(ROOT, page), "utf8").matchAll(/^```ts\n(.*?)^```/gms)].map(
      ([, code]) => code ?? "",
    );
    expect(samples.length).toBeGreaterThan(0);
    for (const [index, sample] of samples.entries()) {
      writeFileSync(join(dir, `sample-${index}.ts`), `${sample}\nexport {};\n`);
    }
    writeFileSync(join(dir, "given.ts"), GIVEN);
    const options = {
      noEmit: true,
      composite: false,
      incremental: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      rootDir: ROOT,
    };
    const config = { extends: join(ROOT, "tsconfig.base.json"), compilerOptions: options, include: ["*.ts"] };
    writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    const output = ((): string => {
      try {
        return execFileSync(tsc, ["-p", dir], { encoding: "utf8" });
      } catch (error) {
        return String((error as { readonly stdout: unknown }).stdout);
      }
    })();
    expect(output).toBe("");
  },
  120_000,
);
