import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { devrealmFor } from "../../src/demo/devrealm";
import { GrantRefusedError } from "../../src/demo/issuer";
import { CONFIGURATION } from "./realm";

const devrealm = { tokenEndpoint: "/token", orgId: "org-1", people: [], canRestart: false };
const ask = devrealmFor({ ...CONFIGURATION, devrealm }, "alice");

const answer = vi.fn();
beforeEach(() => vi.stubGlobal("fetch", answer));
afterEach(() => vi.unstubAllGlobals());

describe("devrealm", () => {
  test("is asked for a lifespan where somebody wishes one", async () => {
    answer.mockImplementation(async () => Response.json({ access_token: "t", expires_in: 5 }));
    expect(await ask()).toEqual({ token: "t", expiresAt: expect.any(Number) });
    await ask(5);
    const forms = answer.mock.calls.map(([, { body }]) => Object.fromEntries(body));
    const person = { username: "alice", password: "alice" };
    const usual = { client_id: "web", grant_type: "password", ...person };
    expect(forms).toEqual([usual, { ...usual, lifespan: "5" }]);
  });

  test("that says no is not asked again; one that fails is", async () => {
    answer.mockResolvedValueOnce(Response.json({ error_description: "No." }, { status: 401 }));
    await expect(ask()).rejects.toThrow(GrantRefusedError);
    answer.mockResolvedValueOnce(new Response("", { status: 502 }));
    await expect(ask()).rejects.toThrow("The issuer of tokens makes a mistake.");
    answer.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    await expect(ask()).rejects.toThrow("The issuer of tokens is out of reach.");
  });
});
