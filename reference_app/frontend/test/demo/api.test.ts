import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { request, RequestRefusedError } from "../../src/demo/api";

const alice = { token: async () => "token-1" };

beforeEach(() => vi.stubGlobal("location", { href: "https://hub.test/user/alice/" }));
afterEach(() => vi.unstubAllGlobals());

function answering(answer: () => Promise<Response>) {
  const fetch = vi.fn(answer);
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

describe("a request", () => {
  test("goes out in its sender's name", async () => {
    const fetch = answering(async () => Response.json({ name: "Plan" }));
    expect(await request(alice, "POST", "/api/", { name: "Plan" })).toEqual({ name: "Plan" });
    const headers = { Authorization: "Bearer token-1", "Content-Type": "application/json" };
    const body = '{"name":"Plan"}';
    expect(fetch).toHaveBeenCalledWith("https://hub.test/user/alice/api/", {
      method: "POST",
      headers,
      body,
    });
  });

  test.each([
    [Response.json({ message: "You may not." }, { status: 403 }), "You may not."],
    [new Response("<h1>Bad Gateway</h1>", { status: 502 }), "HTTP 502."],
  ])("that is refused says why", async (refusal, words) => {
    answering(async () => refusal);
    const refused = request(alice, "GET", "/api/");
    await expect(refused).rejects.toThrow(new RequestRefusedError(words));
  });

  test("that nobody answers fails in a sentence", async () => {
    answering(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(request(alice, "GET", "/api/")).rejects.toThrow("The server is out of reach.");
  });
});
