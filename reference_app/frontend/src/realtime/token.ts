/** Why a token is asked for: none yet, the server refused the last one, or it expires soon. */
export type TokenReason = "first" | "rejected" | "expiring";

/** Returns a fresh access token; throws SignInRequiredError where the user has to sign in. */
export type TokenProvider = (reason: TokenReason) => Promise<string>;

/** No token can be had without the user. */
export class SignInRequiredError extends Error {
  override name = "SignInRequiredError";
}

/** Return what was thrown as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The access token in use; a new one is asked for only when the last cannot serve. */
export class Token {
  private token: string | null = null;
  private reason: TokenReason = "first";
  private wasRejected = false;

  constructor(private readonly provider: TokenProvider) {}

  /** Return the token in use, or ask for one. */
  async get(): Promise<string> {
    return this.token ?? this.renew(this.reason);
  }

  /** Ask for a new token, and use it from now on. */
  async renew(reason: TokenReason): Promise<string> {
    return (this.token = await this.provider(reason));
  }

  /** Drop a token that the server refused; false if the one before it was refused as well. */
  reject(): boolean {
    if (this.wasRejected) return false;
    [this.token, this.reason, this.wasRejected] = [null, "rejected", true];
    return true;
  }

  /** The server let the token in. */
  accept(): void {
    this.wasRejected = false;
  }
}

/**
 * Return the subprotocols that carry a token.
 *
 * A browser cannot set headers, and a URL is written to logs. The server selects the first, because
 * browsers fail a connection whose offer is not answered.
 */
export function subprotocols(token: string): string[] {
  return ["realtime.v1", `bearer.${token}`];
}
