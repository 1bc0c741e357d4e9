/** Module hooks for `without.ts`; they run in a thread of their own. */
import type { InitializeHook, LoadHook } from "node:module";

let changed: { readonly url: string; readonly source: string } | null = null;

/** Is told which module to change. */
export const initialize: InitializeHook<{ readonly url: string; readonly source: string }> = (data) => {
  changed = data;
};

/** Loads that module's changed text, and everything else as usual. */
export const load: LoadHook = (url, context, next) =>
  changed !== null && url === changed.url
    ? { format: "module", source: changed.source, shortCircuit: true }
    : next(url, context);
