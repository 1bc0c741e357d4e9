import { systemClock } from "@millrace/core";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("the system's clock waits for longer than a timer of Node can, and cancels at any time", () => {
  const called = vi.fn<() => void>();
  systemClock.after(60 * DAY_MS, called);
  vi.advanceTimersByTime(59 * DAY_MS);
  expect(called).not.toHaveBeenCalled();
  vi.advanceTimersByTime(DAY_MS);
  expect(called).toHaveBeenCalledOnce();

  const cancel = systemClock.after(60 * DAY_MS, called);
  vi.advanceTimersByTime(40 * DAY_MS);
  cancel();
  vi.advanceTimersByTime(40 * DAY_MS);
  expect(called).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});
