/** Offsets as text, `<ms>-<number>/<index>`, compared without the product's help. */

/** Below 0 when `a` lies in front of `b`, 0 when they are the same. */
export function compareOffsets(a: string, b: string): number {
  const [aParts, bParts] = [partsOf(a), partsOf(b)];
  for (const [at, part] of aParts.entries()) {
    const other = bParts[at] ?? 0n;
    if (part !== other) {
      return part < other ? -1 : 1;
    }
  }
  return 0;
}

/** The time in an entry's id, ms since the Unix epoch. */
export function timeOf(offset: string): number {
  return Number(offset.slice(0, offset.indexOf("-")));
}

function partsOf(offset: string): readonly bigint[] {
  return offset.split(/[-/]/).map(BigInt);
}
