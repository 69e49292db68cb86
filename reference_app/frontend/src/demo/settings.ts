import type { Configuration } from "./configuration";

/** Something is set wrong in Keycloak or at the server: a sentence that names the cure. */
export class SettingError extends Error {
  override name = "SettingError";
}

/** A challenge as RFC 7636, B shows it: what is asked here leads nowhere. */
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/**
 * Find out whether Keycloak would sign people in who come from this page and go back to it.
 *
 * On its own page Keycloak would only say "Invalid parameter", with no way back. It checks a request
 * that is pushed (RFC 9126) in the same way, and answers the page.
 */
export async function checkSettings(configuration: Configuration, page: URL): Promise<void> {
  const endpoint = await pushEndpoint(configuration.issuer);
  if (!endpoint) return;
  const body = new URLSearchParams({
    client_id: configuration.clientId,
    redirect_uri: page.href,
    response_type: "code",
    scope: "openid",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
  });
  const answer = await fetch(endpoint, { method: "POST", body }).catch(() => {
    throw new SettingError(
      `Keycloak answers no page of ${page.origin}: ` +
        `add it to the “Web origins” of the client “${configuration.clientId}”.`,
    );
  });
  if (!answer.ok) throw refusal(answer.status, await answer.json(), configuration, page);
}

/** Make sure that the realm answers, and return where it takes requests that are pushed. */
export async function pushEndpoint(issuer: string): Promise<string | undefined> {
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`).catch(() => null);
  if (!answer?.ok) {
    throw new SettingError(
      `No Keycloak realm answers at ${issuer}: start Keycloak, or correct KEYCLOAK_ISSUER.`,
    );
  }
  const realm: Record<string, string | undefined> = await answer.json();
  if (realm.issuer !== issuer) {
    throw new SettingError(
      `Keycloak signs as ${realm.issuer}, and not as ${issuer}: correct KEYCLOAK_ISSUER.`,
    );
  }
  return realm.pushed_authorization_request_endpoint;
}

function refusal(
  status: number,
  said: Record<string, string>,
  { clientId, issuer }: Configuration,
  page: URL,
): SettingError {
  const words = said.error_description ?? said.error ?? `HTTP ${status}`;
  if (status === 401) {
    return new SettingError(
      `Keycloak has no public client “${clientId}” in ${issuer}: ` +
        "make one there, or correct KEYCLOAK_CLIENT_ID.",
    );
  }
  if (words.includes("redirect_uri")) {
    return new SettingError(
      `Keycloak sends nobody back to ${page.href}: ` +
        `add it to the “Valid redirect URIs” of the client “${clientId}”.`,
    );
  }
  return new SettingError(
    `Keycloak does not let the client “${clientId}” sign people in: ${words}.`,
  );
}
