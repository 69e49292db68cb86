import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Rate } from "../../src/realtime/rate";
import { FakeWebSocket, opened, useFakeWebSocket } from "../fakeWebSocket";

useFakeWebSocket();

const HOUR_MS = 3_600_000;

beforeEach(() => vi.setSystemTime(HOUR_MS));
afterEach(() => vi.useRealTimers());

/** Do it as often as it may be done at once, and return how often that was. */
function used(rate: Rate): number {
  for (let times = 0; ; times++) {
    if (rate.waitMs() > 0) return times;
    rate.count();
  }
}

test("so often at once, and then once in each interval", () => {
  const rate = new Rate(6, 10_000);
  expect(used(rate)).toBe(6);
  expect(rate.waitMs()).toBe(10_000);
  vi.setSystemTime(HOUR_MS + 10_000);
  expect(used(rate)).toBe(1);
  vi.setSystemTime(HOUR_MS + 100_000);
  expect(used(rate)).toBe(6);
});

test("done more often than it may be, as by a person who asks: the wait grows no longer", () => {
  const rate = new Rate(2, 10_000);
  for (const _ of Array(50)) rate.count();
  expect(rate.waitMs()).toBe(10_000);
});

test("a clock that is set back makes nobody wait for hours", () => {
  const rate = new Rate(2, 10_000);
  expect(used(rate)).toBe(2);
  vi.setSystemTime(0);
  expect(rate.waitMs()).toBe(10_000);
});

test("a server that is lost again and again: the next attempt is ten seconds away at most", async () => {
  const client = await opened({ random: () => 0 });
  for (const _ of Array(20)) {
    FakeWebSocket.latest.fail();
    const [before, since] = [FakeWebSocket.all.length, Date.now()];
    while (FakeWebSocket.all.length === before) await vi.advanceTimersByTimeAsync(100);
    expect(Date.now() - since).toBeLessThanOrEqual(10_000);
  }
  expect(Date.now() - HOUR_MS).toBeGreaterThan(100_000); // and one in ten seconds is all
  client.close();
});
