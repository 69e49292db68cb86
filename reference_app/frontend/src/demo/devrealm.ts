import type { Configuration } from "./configuration";
import { type Ask, type Grant, GrantRefusedError } from "./issuer";

/**
 * Ask the stand-in for Keycloak for one person's tokens; each password is the username.
 *
 * A password grant (RFC 6749, 4.3) is for a laptop that has no browser session to lose: OAuth 2.1
 * forbids it, and `keycloak.ts` does without.
 */
export function devrealmFor({ devrealm, clientId }: Configuration, username: string): Ask {
  return async (lifespan) => {
    const person = { grant_type: "password", username, password: username };
    const form = new URLSearchParams({ client_id: clientId, ...person });
    if (lifespan) form.set("lifespan", String(lifespan));
    const request = { method: "POST", body: form };
    const answer = await fetch(devrealm!.tokenEndpoint, request).catch(() => {
      throw new Error("The issuer of tokens is out of reach.");
    });
    return grantIn(answer.status, await answer.json().catch(() => ({})));
  };
}

function grantIn(status: number, body: Record<string, unknown>): Grant {
  if (status >= 500) throw new Error("The issuer of tokens makes a mistake.");
  if (status !== 200) {
    throw new GrantRefusedError(String(body.error_description ?? body.error ?? `HTTP ${status}`));
  }
  const expiresAt = Date.now() + Number(body.expires_in) * 1_000;
  return { token: String(body.access_token), expiresAt };
}
