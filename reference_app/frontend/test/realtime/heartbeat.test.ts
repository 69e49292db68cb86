import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Heartbeat } from "../../src/realtime/heartbeat";

const ping = vi.fn();
const die = vi.fn();
let heartbeat: Heartbeat;

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  heartbeat = new Heartbeat({ intervalMs: 25_000, timeoutMs: 10_000, probeMs: 3_000 }, ping, die);
  heartbeat.start();
});

afterEach(() => {
  heartbeat.stop();
  vi.useRealTimers();
});

/** Let the machine sleep: the clock goes on, timers do not. */
function sleep(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

test("silence for an interval: one ping", () => {
  vi.advanceTimersByTime(24_999);
  expect(ping).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(ping).toHaveBeenCalledTimes(1);
});

test("frames within the interval: no ping until an interval after the last", () => {
  vi.advanceTimersByTime(20_000);
  heartbeat.heard();
  vi.advanceTimersByTime(24_999);
  expect(ping).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(ping).toHaveBeenCalledTimes(1);
});

test("no answer to a ping: the connection is dead", () => {
  vi.advanceTimersByTime(34_999);
  expect(die).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(die).toHaveBeenCalledTimes(1);
});

test("any frame answers a ping", () => {
  vi.advanceTimersByTime(30_000);
  heartbeat.heard();
  vi.advanceTimersByTime(24_000);
  expect(die).not.toHaveBeenCalled();
  expect(ping).toHaveBeenCalledTimes(1);
});

test("probe: a ping at once, and little patience", () => {
  vi.advanceTimersByTime(10_000);
  heartbeat.probe();
  expect(ping).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(3_000);
  expect(die).toHaveBeenCalledTimes(1);
});

test("probe right after a frame, which may have been the last: a ping all the same", () => {
  heartbeat.heard();
  heartbeat.probe();
  expect(ping).toHaveBeenCalledTimes(1);
});

test("probe of a stopped heartbeat: nothing", () => {
  heartbeat.stop();
  sleep(60_000);
  heartbeat.probe();
  expect(ping).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test("timer much too late, after sleep: a ping, and little patience", () => {
  vi.advanceTimersByTime(20_000);
  sleep(3_600_000);
  vi.advanceTimersByTime(5_000);
  expect(ping).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(3_000);
  expect(die).toHaveBeenCalledTimes(1);
});

test("asleep while an answer was awaited: asked again, not given up, each time", () => {
  for (const nth of [1, 2]) {
    vi.advanceTimersByTime(25_000);
    sleep(3_600_000);
    vi.advanceTimersToNextTimer();
    expect(ping).toHaveBeenCalledTimes(2 * nth);
    heartbeat.heard();
    vi.advanceTimersByTime(3_000);
    expect(die).not.toHaveBeenCalled();
  }
});

test("in a hidden tab, whose timers come once a minute: a dead connection is given up", () => {
  for (const _ of [1, 2, 3]) {
    sleep(57_000);
    vi.advanceTimersToNextTimer();
  }
  expect(ping).toHaveBeenCalledTimes(1);
  expect(die).toHaveBeenCalledTimes(1);
});

test("in a hidden tab a connection that answers lives on", () => {
  for (let minute = 1; minute <= 10; minute++) {
    sleep(57_000);
    vi.advanceTimersToNextTimer();
    expect(ping).toHaveBeenCalledTimes(minute);
    heartbeat.heard();
  }
  expect(die).not.toHaveBeenCalled();
});

test("clock set back by an hour: a ping after the interval all the same", () => {
  sleep(-3_600_000);
  vi.advanceTimersByTime(50_000);
  expect(ping).toHaveBeenCalledTimes(1);
});
