import type { Configuration } from "./configuration";

/** A user's name and password; the page keeps them in memory, and nowhere else. */
export interface Credentials {
  username: string;
  password: string;
}

/** What an issuer gives. */
export interface Grant {
  token: string;
  /** In milliseconds, as `Date.now()`. */
  expiresAt: number;
  refreshToken: string | null;
}

/** Asks for a token; of seconds to live only where a laptop's issuer knows that wish. */
export type Ask = (refreshToken: string | null, lifespan?: number) => Promise<Grant>;

/** The issuer has an answer, and it is no. */
export class GrantRefusedError extends Error {
  override name = "GrantRefusedError";
}

/** Ask the configured issuer for one user's tokens (RFC 6749, 4.3 and 6). */
export function issuerFor(configuration: Configuration, { username, password }: Credentials): Ask {
  const endpoint = configuration.devrealm?.tokenEndpoint ?? configuration.tokenEndpoint;
  return async (refreshToken, lifespan) => {
    const form = new URLSearchParams({ client_id: configuration.clientId, scope: "openid" });
    const grant: Record<string, string> = refreshToken
      ? { grant_type: "refresh_token", refresh_token: refreshToken }
      : { grant_type: "password", username, password };
    for (const [name, value] of Object.entries(grant)) form.set(name, value);
    if (lifespan) form.set("lifespan", String(lifespan));
    const answer = await fetch(endpoint, { method: "POST", body: form }).catch(() => {
      throw new Error("The issuer of tokens is out of reach, or does not list this page's origin.");
    });
    return grantIn(answer.status, await answer.json().catch(() => ({})));
  };
}

function grantIn(status: number, body: Record<string, unknown>): Grant {
  if (status >= 500) throw new Error("The issuer of tokens makes a mistake.");
  if (status !== 200) {
    throw new GrantRefusedError(String(body.error_description ?? body.error ?? `HTTP ${status}`));
  }
  return {
    token: String(body.access_token),
    expiresAt: Date.now() + Number(body.expires_in) * 1_000,
    refreshToken: body.refresh_token ? String(body.refresh_token) : null,
  };
}
