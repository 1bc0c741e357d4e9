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
