import { cleanup, renderHook } from "@testing-library/react";
import { act } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Account } from "../../src/demo/account";
import { useOrganization } from "../../src/demo/useOrganization";

const account = new Account(async () => ({ token: "token", expiresAt: Infinity }));
const answer = vi.fn<() => Promise<Response>>();

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  vi.useFakeTimers();
  vi.stubGlobal("fetch", answer.mockReset());
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const organizations = (...ids: string[]) =>
  Response.json({ organizations: ids.map((id) => ({ id })) });

function follow() {
  return renderHook(({ isOpen }) => useOrganization(account, null, isOpen), {
    initialProps: { isOpen: false },
  });
}

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

test("is asked for once a socket is open, and again where no answer came", async () => {
  answer.mockResolvedValueOnce(new Response("", { status: 503 }));
  answer.mockResolvedValueOnce(organizations("org-1", "org-2"));
  const { result, rerender } = follow();
  await pass(10_000);
  expect(answer).not.toHaveBeenCalled();
  rerender({ isOpen: true });
  await pass(4_999);
  expect([answer.mock.calls.length, result.current]).toEqual([1, undefined]);
  await pass(1);
  expect(result.current).toBe("org-1");
  await pass(10_000);
  expect(answer).toHaveBeenCalledTimes(2);
});

test("is not asked for twice as often because the socket opened again", async () => {
  answer.mockResolvedValue(new Response("", { status: 503 }));
  const { rerender } = follow();
  rerender({ isOpen: true });
  await pass(4_000);
  rerender({ isOpen: false });
  rerender({ isOpen: true });
  await pass(4_999);
  expect(answer).toHaveBeenCalledTimes(2);
});

test("is none for who has none, until the socket opens again", async () => {
  answer.mockResolvedValueOnce(organizations());
  answer.mockResolvedValueOnce(organizations("org-1"));
  const { result, rerender } = follow();
  rerender({ isOpen: true });
  await pass(10_000);
  expect([answer.mock.calls.length, result.current]).toEqual([1, null]);
  rerender({ isOpen: false });
  rerender({ isOpen: true });
  await pass(0);
  expect(result.current).toBe("org-1");
});
