import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { History, type Keyed } from "../../src/react/history";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("what comes within a frame of the screen is told at once", () => {
  const flushed = vi.fn();
  const history = new History(100, flushed);
  history.add({ key: "one" });
  vi.advanceTimersByTime(15);
  history.add({ key: "two" });
  expect(flushed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(flushed).toHaveBeenCalledTimes(1);
  expect(flushed).toHaveBeenCalledWith([{ key: "one" }, { key: "two" }], 2);
});

test("stopped: nothing more is told", () => {
  const flushed = vi.fn();
  const history = new History(100, flushed);
  history.add({ key: "one" });
  history.clear();
  vi.advanceTimersByTime(1_000);
  expect(flushed).not.toHaveBeenCalled();
});

test("hidden tab, whose timers are late: it holds little more than it will show", () => {
  const flushed = vi.fn();
  const history = new History(10, flushed);
  for (let n = 1; n <= 10_000; n++) history.add({ key: String(n) });
  vi.advanceTimersByTime(16);
  const [arrived, count]: [Keyed[], number] = flushed.mock.calls[0]! as never;
  expect(count).toBe(10_000);
  expect(arrived.length).toBeLessThanOrEqual(20);
  expect(arrived.slice(-10).map(({ key }) => key)[0]).toBe("9991");
});
