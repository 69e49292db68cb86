import { webcrypto } from "node:crypto";

import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { Realm } from "../../src/demo/keycloak";
import { SignInRequiredError } from "../../src/realtime";
import {
  completePromise,
  CONFIGURATION,
  DISCOVERY,
  FakeKeycloak,
  ISSUER,
  nothing,
  numberOf,
  PAGE,
  refused,
  TOKEN,
} from "./realm";

let keycloak: FakeKeycloak;
/** The address bar; jsdom's own goes nowhere. */
let bar: { href: string; assign: (url: string) => void; replace: (url: string) => void };

beforeAll(completePromise);
beforeEach(() => {
  keycloak = new FakeKeycloak();
  bar = { href: PAGE, assign: (url) => (bar.href = url), replace: (url) => (bar.href = url) };
  vi.stubGlobal("location", bar);
  vi.stubGlobal("crypto", webcrypto);
  vi.stubGlobal("isSecureContext", true);
  vi.spyOn(history, "replaceState").mockImplementation((_, __, url) => {
    bar.href = String(url);
  });
  localStorage.clear();
});
afterEach(() => vi.unstubAllGlobals());

/** Leave for Keycloak, and return the query that the browser takes there. */
async function leave(): Promise<URLSearchParams> {
  const realm = new Realm(CONFIGURATION);
  await realm.arrive();
  void realm.signIn();
  await vi.waitFor(() => expect(bar.href).toContain("/auth?"));
  const query = new URL(bar.href).searchParams;
  keycloak.nonce = query.get("nonce")!;
  return query;
}

/** Leave for Keycloak, and return to the page with this answer. */
async function comeBackWith(answer: Record<string, string>): Promise<Realm> {
  const state = (await leave()).get("state")!;
  bar.href = `${PAGE}#${new URLSearchParams({ state, session_state: "s1", ...answer })}`;
  return new Realm(CONFIGURATION);
}

/** Sign in, and return the visitor. */
async function signIn() {
  return (await (await comeBackWith({ code: "c1" })).arrive())!;
}

describe("a realm", () => {
  test("sends people to Keycloak with a challenge, and back to the page", async () => {
    bar.href = `${PAGE}?from=mail#top`;
    const query = await leave();
    expect(bar.href.startsWith(`${ISSUER}/protocol/openid-connect/auth?`)).toBe(true);
    expect(query.get("redirect_uri")).toBe(PAGE);
    expect([query.get("response_type"), query.get("code_challenge_method")]).toEqual([
      "code",
      "S256",
    ]);
  });

  test("redeems the code once, and leaves nothing of it", async () => {
    const realm = await comeBackWith({ code: "c1" });
    const [visitor, again] = await Promise.all([realm.arrive(), realm.arrive()]);
    expect(visitor).toMatchObject({ username: "alice", name: "Alice Archer" });
    expect(again).toBe(visitor);
    const [form, ...others] = keycloak.sentTo(TOKEN);
    expect(others).toEqual([]);
    expect([form!.get("code"), form!.get("code_verifier")]).toEqual(["c1", expect.any(String)]);
    expect(bar.href).toBe(PAGE);
    expect(localStorage.length).toBe(0);
  });

  test("knows nobody who comes without a code, and asks for nothing", async () => {
    expect(await new Realm(CONFIGURATION).arrive()).toBeNull();
    expect(keycloak.asked).toEqual([]);
  });

  test("takes no code that this browser did not ask for", async () => {
    bar.href = `${PAGE}#code=c1&state=foreign`;
    expect(await new Realm(CONFIGURATION).arrive()).toBeNull();
    expect(keycloak.asked).toEqual([]);
    expect(bar.href).toBe(PAGE);
  });

  test("says what Keycloak said instead of a code", async () => {
    const refusal = { error: "access_denied", error_description: "User denied" };
    const realm = await comeBackWith(refusal);
    await expect(realm.arrive()).rejects.toThrow("Keycloak signed nobody in: User denied");
    expect(bar.href).toBe(PAGE);
  });

  test("names the setting that keeps a code from being redeemed", async () => {
    const realm = await comeBackWith({ code: "c1" });
    keycloak.answers[TOKEN] = keycloak.answers[DISCOVERY] = nothing;
    await expect(realm.arrive()).rejects.toThrow("correct KEYCLOAK_ISSUER.");
  });

  test("goes nowhere from a page that is not secure", async () => {
    vi.stubGlobal("isSecureContext", false);
    await expect(new Realm(CONFIGURATION).signIn()).rejects.toThrow("by https or localhost.");
    expect(bar.href).toBe(PAGE);
  });

  test("stays on the page where Keycloak would not let it go on", async () => {
    keycloak.answers[DISCOVERY] = nothing;
    await expect(new Realm(CONFIGURATION).signIn()).rejects.toThrow("correct KEYCLOAK_ISSUER.");
    expect(bar.href).toBe(PAGE);
  });

  test("signs out where Keycloak ends sessions, and comes back", async () => {
    const realm = await comeBackWith({ code: "c1" });
    await realm.arrive();
    await realm.signOut();
    const { pathname, searchParams } = new URL(bar.href);
    expect(pathname).toMatch(/\/logout$/);
    expect(searchParams.get("post_logout_redirect_uri")).toBe(PAGE);
    expect(searchParams.get("id_token_hint")).toEqual(expect.any(String));
  });

  test("stays signed in where Keycloak cannot be reached to end that", async () => {
    const realm = await comeBackWith({ code: "c1" });
    await realm.arrive();
    keycloak.answers[DISCOVERY] = nothing;
    await expect(realm.signOut()).rejects.toThrow("No Keycloak realm answers");
    expect(bar.href).toBe(PAGE);
  });
});

describe("a visitor's account", () => {
  test("gives the token of the sign-in first, and renews it by the refresh token", async () => {
    const socket = (await signIn()).account.provider();
    expect(numberOf(await socket("first"))).toBe(1);
    expect(numberOf(await socket("expiring"))).toBe(2);
    expect(keycloak.sentTo(TOKEN).at(-1)!.get("grant_type")).toBe("refresh_token");
  });

  test("keeps a token that only the browser's wrong clock calls expired", async () => {
    keycloak.ahead = -3_600;
    const { account } = await signIn();
    expect(numberOf(await account.token())).toBe(1);
  });

  test("renews a token that has expired by Keycloak's clock", async () => {
    keycloak.ahead = 3_600;
    keycloak.lifespan = 0;
    const { account } = await signIn();
    keycloak.lifespan = 300;
    expect(numberOf(await account.token())).toBe(2);
  });

  test.each([
    ["the session", 400, "Session not active"],
    ["the client", 401, "Invalid client or Invalid client credentials"],
  ])("needs the user when %s has ended", async (_, status, words) => {
    const socket = (await signIn()).account.provider();
    await socket("first");
    keycloak.answers[TOKEN] = refused(status, words);
    await expect(socket("rejected")).rejects.toThrow(SignInRequiredError);
    await expect(socket("rejected")).rejects.toThrow("The session at Keycloak has ended.");
  });

  test.each([
    ["no answer", nothing],
    ["an error of its own", refused(503, "Starting")],
  ])("tries again later when Keycloak has %s", async (_, answer) => {
    const socket = (await signIn()).account.provider();
    await socket("first");
    const usual = keycloak.answers[TOKEN]!;
    keycloak.answers[TOKEN] = answer;
    const failure = await socket("expiring").catch((error) => error);
    expect(failure).not.toBeInstanceOf(SignInRequiredError);
    expect(failure.message).toBe("Keycloak is out of reach.");
    keycloak.answers[TOKEN] = usual;
    expect(numberOf(await socket("expiring"))).toBe(2);
  });
});
