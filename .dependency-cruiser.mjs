// Which way imports may point. `npm run check` runs this through tools/check-layers.mjs, which first proves that it bites.

/**
 * The layers of packages/core/src, and what each may import besides itself.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const layers = {
  kernel: [],
  codec: ["kernel"],
  ports: ["kernel"],
  topology: ["codec", "ports", "kernel"],
  operators: ["topology", "codec", "ports", "kernel"],
  runtime: ["topology", "codec", "ports", "kernel"],
  fp: ["operators", "topology", "codec", "ports", "kernel"],
};

/**
 * Files beside the layers that one may import, too.
 * @type {Readonly<Record<string, string>>}
 */
const besides = { kernel: "", fp: "(app|errors)[.]ts$|" };

const src = "^packages/core/src/";

/**
 * One rule per layer: nothing in core outside itself and the layers below it, except the public errors, which every
 * layer but the kernel may raise, and the app, which the fp door wraps.
 * @type {import("dependency-cruiser").IForbiddenRuleType[]}
 */
const layering = Object.entries(layers).map(([layer, below]) => ({
  name: `${layer}-imports-only-what-is-below`,
  severity: "error",
  from: { path: `${src}${layer}/` },
  to: { path: src, pathNot: `${src}(${besides[layer] ?? "errors[.]ts$|"}(${[layer, ...below].join("|")})/)` },
}));

/** @satisfies {import("dependency-cruiser").IConfiguration} */
const config = {
  /** @type {import("dependency-cruiser").IForbiddenRuleType[]} */
  forbidden: [
    ...layering,
    {
      name: "errors-import-only-kernel-and-ports",
      severity: "error",
      from: { path: `${src}errors[.]ts$` },
      to: { path: src, pathNot: `${src}(kernel|ports)/` },
    },
    {
      name: "nothing-imports-the-index",
      severity: "error",
      from: { path: src, pathNot: `${src}index[.]ts$` },
      to: { path: `${src}index[.]ts$` },
    },
    {
      name: "kernel-is-pure",
      comment: "No RxJS, no driver, no Node: only fp-ts, so that every decision is a plain function.",
      severity: "error",
      from: { path: `${src}kernel/` },
      to: { pathNot: `${src}|(^|/)fp-ts(/|$)` },
    },
    {
      name: "core-knows-no-adapter",
      severity: "error",
      from: { path: "^packages/core/src/" },
      to: { path: "(^|/)ioredis(/|$)|^packages/(redis-adapter|testing)/" },
    },
    {
      name: "testing-knows-no-driver",
      severity: "error",
      from: { path: "^packages/testing/src/" },
      to: { path: "(^|/)ioredis(/|$)|^packages/redis-adapter/" },
    },
    {
      name: "adapters-do-not-ship-test-code",
      severity: "error",
      from: { path: "^packages/redis-adapter/src/" },
      to: { path: "^packages/testing/" },
    },
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-undeclared-dependency",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "unknown"],
        dependencyTypesNot: ["npm", "npm-peer"],
      },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^packages/[^/]+/dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      conditionNames: ["@millrace/source", "import", "types", "node", "default"],
      exportsFields: ["exports"],
    },
  },
};

export default config;
