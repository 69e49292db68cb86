import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { checkSettings, SettingError } from "../../src/demo/settings";
import { CONFIGURATION, DISCOVERY, FakeKeycloak, nothing, PAGE, PUSH, refused } from "./realm";

let keycloak: FakeKeycloak;
beforeEach(() => void (keycloak = new FakeKeycloak()));
afterEach(() => vi.unstubAllGlobals());

const check = () => checkSettings(CONFIGURATION, new URL(PAGE));

describe("a check of the settings", () => {
  test("pushes the request that a sign-in would make", async () => {
    await check();
    const [form] = keycloak.sentTo(PUSH);
    expect(Object.fromEntries(form!)).toMatchObject({
      client_id: "web",
      redirect_uri: PAGE,
      response_type: "code",
      code_challenge_method: "S256",
    });
  });

  test("is content with a Keycloak that takes no pushed requests", async () => {
    keycloak.answers[DISCOVERY] = () => Response.json({ issuer: CONFIGURATION.issuer });
    await check();
    expect(keycloak.sentTo(PUSH)).toEqual([]);
  });

  test.each([
    ["no Keycloak", DISCOVERY, nothing, "start Keycloak, or correct KEYCLOAK_ISSUER."],
    ["no realm", DISCOVERY, refused(404, "Realm does not exist"), "No Keycloak realm answers"],
    [
      "another issuer",
      DISCOVERY,
      () => Response.json({ issuer: "https://id.example/realms/other" }),
      "Keycloak signs as https://id.example/realms/other, and not as https://id.example/realms/demo",
    ],
    ["a foreign origin", PUSH, nothing, "add it to the “Web origins” of the client “web”."],
    ["no client", PUSH, refused(401, "Authentication failed."), "correct KEYCLOAK_CLIENT_ID."],
    [
      "a foreign page",
      PUSH,
      refused(400, "Invalid parameter: redirect_uri"),
      `Keycloak sends nobody back to ${PAGE}: add it to the “Valid redirect URIs”`,
    ],
    ["any other refusal", PUSH, refused(400, "Client not allowed"), "in: Client not allowed."],
  ])("names the cure for %s", async (_, url, answer, words) => {
    keycloak.answers[url] = answer;
    const failure = await check().catch((error) => error);
    expect(failure).toBeInstanceOf(SettingError);
    expect(failure.message).toContain(words);
  });
});
