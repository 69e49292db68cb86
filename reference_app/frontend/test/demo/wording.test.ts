import { describe, expect, test } from "vitest";

import { endRow, frameRow } from "../../src/demo/trace";
import { omittedWords, wordingOf } from "../../src/demo/wording";
import { KNOWN_CODES, type Status } from "../../src/realtime";
import { closureOf } from "../../src/realtime/closure";
import { stopped, waiting } from "../../src/realtime/status";

const NOW = 1_000_000;

describe("a status in words", () => {
  test.each([
    [{ state: "connecting" }, "busy", "Connecting …"],
    [{ state: "open" }, "good", "Connected"],
    [{ state: "offline" }, "busy", "Offline. Waits for a network."],
  ] satisfies [Status, string, string][])("%o", (status, tone, text) => {
    expect(wordingOf(status, NOW)).toEqual({ tone, text });
  });

  test("complains in a sentence of its own, of a connection that lives", () => {
    const complaint = "Renewing is switched off.";
    const text = "Connected. Renewing is switched off.";
    expect(wordingOf({ state: "open" }, NOW, complaint)).toEqual({ tone: "busy", text });
    expect(wordingOf({ state: "connecting" }, NOW, complaint).text).toBe("Connecting …");
  });

  test("counts down to the next attempt, and never below zero", () => {
    const status = waiting(closureOf(1012, null), NOW + 2_400);
    expect(wordingOf(status, NOW)).toEqual({
      tone: "busy",
      text: "The server restarts.",
      countdown: "Reconnecting in 3 s.",
    });
    expect(wordingOf(status, NOW + 9_000).countdown).toBe("Reconnecting in 0 s.");
  });

  test("says whether signing in helps", () => {
    const refused = closureOf(4001, null, "The token has expired.");
    const { tone, text } = wordingOf(stopped(refused, true), NOW);
    expect([tone, text]).toEqual(["bad", "The token has expired. Sign in again."]);
    const stays = wordingOf(stopped(closureOf(4003, null)), NOW).text;
    expect(stays).toBe("Not a member, or no longer. Not reconnecting.");
  });
});

describe("what was too large to be sent", () => {
  test.each([
    [512, "512 bytes"],
    [65_737, "66 kB"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [1_100_000, "1.1 MB"],
    [2_000_000, "2 MB"],
    [3_000_000_000, "3 GB"],
  ])("of %i bytes", (size, words) => {
    const frame = { type: "entry.omitted", offset: 1, position: "p", size } as const;
    expect(omittedWords(frame)).toBe(`A message of ${words} was too large to be sent.`);
  });
});

describe("a line of the live view", () => {
  test.each(Object.keys(KNOWN_CODES).map(Number))("explains %i", (code) => {
    const row = endRow("notifications", stopped(closureOf(code, null)));
    expect(row!.type).toBe(`${code} ${KNOWN_CODES[code]!.name}`);
    expect(row!.short).toMatch(/^[A-Z].+\. Not reconnecting\.$/);
  });

  test("is not made for a connection that lives", () => {
    expect(endRow("organization", { state: "open" })).toBeNull();
    expect(endRow("organization", { state: "connecting" })).toBeNull();
  });

  test("has the frame's type, its offset, and what it says in short", () => {
    const data = { resource_name: "Plan" };
    const frame = { type: "event", event_type: "made", data, offset: 7, position: "p" } as const;
    const row = frameRow("organization", "in", frame);
    expect(row).toMatchObject({ direction: "in", type: "event", offset: 7, short: "made · Plan" });
    expect(frameRow("organization", "out", { type: "ping", timestamp: 1 }).offset).toBeNull();
  });

  test.each([
    [{ recovered: null }, "begins after #3"],
    [{ recovered: true }, "recovered: resumes after #3"],
    [{ recovered: false }, "not recovered: something is missing"],
  ])("says where a connection begins: %o", (greeting, words) => {
    const usual = { message: "", user_id: "", expires_at: "", offset: 3, position: "p" };
    const frame = { type: "connection.established", ...usual, ...greeting } as const;
    expect(frameRow("notifications", "in", frame)).toMatchObject({ offset: null, short: words });
  });

  test.each([
    ["in", { offset: 3, unread: 2 }, "read up to #3, 2 unread"],
    ["out", { offset: 3 }, "mark up to #3"],
    ["out", { offset: 0 }, "how far have I read?"],
  ] as const)("says %s how far a user has read", (direction, mark, words) => {
    const frame = { type: "notifications.read", ...mark } as const;
    expect(frameRow("notifications", direction, frame).short).toBe(words);
  });

  test("names the line of Python that ended a connection", () => {
    const sentence = "The token has expired.";
    const row = endRow("notifications", stopped(closureOf(4001, null, sentence)));
    expect(row!.python!.line).toContain(`Refusal(CloseCode.UNAUTHORIZED, "${sentence}")`);
    expect(endRow("notifications", stopped(closureOf(4509, null)))!.python).toBeUndefined();
  });
});
