/** `20,000`, the same on every machine. */
export function grouped(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

/** Minutes with one digit. */
export function minutes(number: number): string {
  return number.toFixed(1);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** `2.4 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** `1 task`, `3 tasks`. */
export function tasks(count: number): string {
  return `${count} ${count === 1 ? "task" : "tasks"}`;
}

/** A group, or a task behind it, without the app's name in front. */
export function unprefixed(name: string): string {
  return name.replace(/^flights\./, "");
}

/** The first part of a random id; other ids as they are. */
export function shortId(id: string): string {
  return id.replace(/^([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "$1");
}
