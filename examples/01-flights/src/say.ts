/** Writes a line for people to stderr. A progress bar gives way and appears again below. */
export function say(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? "\r\u001b[K" : ""}${text}\n`);
}
