import { createHash } from "node:crypto";

/** A script and the digest by which the server remembers it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** A script from its source, which begins with `#!lua`. */
export function script(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}
