import { expect, test } from "vitest";

import { KNOWN_CODES } from "../../src/realtime";
import { closureOf } from "../../src/realtime/closure";
import type { ClosingFrame } from "../../src/realtime/frames";

function lastWord(code: number, reconnect: boolean, retry_after_ms: number | null): ClosingFrame {
  return { type: "connection.closing", code, reason: "", reconnect, retry_after_ms };
}

test.each(Object.entries(KNOWN_CODES))("%s: known by its name and its meaning", (number, known) => {
  const { code, name, sentence, comesBack } = closureOf(Number(number), null);
  expect([code, name, sentence]).toEqual([Number(number), known.name, known.meaning]);
  expect(comesBack).toBe(known.retryAfterMs !== null);
});

test.each([
  [1000, true],
  [1005, true],
  [1006, true],
  [3000, true],
  [4000, true],
  [4499, true],
  [4500, false],
  [4999, false],
])("unknown code %i: whether to come back is %s", (code, comesBack) => {
  expect(closureOf(code, null).comesBack).toBe(comesBack);
});

test.each([
  [4600, true],
  [4400, false],
])("unknown code %i with a last frame: the frame decides", (code, reconnect) => {
  const frame = lastWord(code, reconnect, reconnect ? 0 : null);
  expect(closureOf(code, frame).comesBack).toBe(reconnect);
});

test("every end has a sentence", () => {
  for (const code of [1000, 1006, 3000, 4400, 4600]) {
    expect(closureOf(code, null).sentence).toMatch(/\.$/);
  }
});
