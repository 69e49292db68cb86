import { expect, test } from "vitest";

import { Backoff } from "../../src/realtime/backoff";
import { seeded } from "../seeded";

const limits = { baseMs: 1_000, capMs: 30_000 };

test("windows double up to the cap, and begin anew after a reset", () => {
  const backoff = new Backoff(limits, () => 1);
  const windows = Array.from({ length: 7 }, () => backoff.next());
  expect(windows).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  backoff.reset();
  expect(backoff.next()).toBe(1_000);
});

test("a delay is drawn from the whole window", () => {
  const delays = Array.from({ length: 200 }, (_, seed) => new Backoff(limits, seeded(seed)).next());
  const tenths = new Set(delays.map((delay) => Math.floor(delay / 100)));
  expect([...tenths].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("the first window may be wider, and the cap does not make it narrower", () => {
  const backoff = new Backoff({ baseMs: 1_000, capMs: 2_000 }, () => 1);
  expect([backoff.next(5_000), backoff.next(5_000), backoff.next()]).toEqual([5_000, 5_000, 2_000]);
});

test("after very many failures a delay is still a number", () => {
  const backoff = new Backoff(limits, () => 1);
  for (let n = 0; n < 5_000; n++) backoff.next();
  expect(backoff.next()).toBe(30_000);
});
