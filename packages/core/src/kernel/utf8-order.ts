/**
 * Orders texts by their bytes in UTF-8, as Redis does, without encoding them: for `toSorted`. JavaScript's `<` compares UTF-16
 * units, and so puts U+E000 to U+FFFF behind the characters beyond U+FFFF, whose units are surrogates.
 *
 * Different texts are never equal. Half of a surrogate pair, which UTF-8 has no bytes for, comes behind U+FFFF, too.
 */
export function compareUtf8(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) {
      return rankOf(left) - rankOf(right);
    }
  }
  return a.length - b.length;
}

/** Where the character of a UTF-16 unit comes: surrogates behind all others. */
function rankOf(unit: number): number {
  if (unit < 0xd800) {
    return unit;
  }
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
