import { grouped } from "./format.ts";

/** Starts now; tells `20,000 flights in 1.3 s (15,385/s)`. */
export function stopwatch(): (flights: number) => string {
  const startMs = performance.now();
  return (flights) => {
    const seconds = (performance.now() - startMs) / 1_000;
    return `${grouped(flights)} flights in ${seconds.toFixed(1)} s (${grouped(flights / seconds)}/s)`;
  };
}
