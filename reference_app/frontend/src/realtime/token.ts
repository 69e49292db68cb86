import { Timer } from "./timer";
import { within } from "./within";

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

/** A token that is refused so long after it was given has grown old; it was not bad. */
const FRESH_MS = 60_000;

/** What a subprotocol can carry (RFC 6455, 4.1), as every JWT is spelled. */
const SUBPROTOCOL = /^[\w!#$%&'*+.^`|~-]+$/;

/** The access token in use; a new one is asked for only when the last cannot serve. */
export class Token {
  private token: string | null = null;
  private reason: TokenReason = "first";
  private wasRejected = false;
  private givenAt = 0;
  private deadline = new Timer();

  constructor(
    private readonly provider: TokenProvider | undefined,
    private readonly timeoutMs: number,
  ) {}

  /** Return the token in use, or ask for one; it is empty where a cookie says who the user is. */
  async get(): Promise<string> {
    return this.token ?? this.renew(this.reason);
  }

  /** Ask for a new token, and use it from now on. */
  async renew(reason: TokenReason): Promise<string> {
    const token = this.provider ? await this.ask(this.provider(reason)) : "";
    [this.token, this.givenAt] = [token, Date.now()];
    return token;
  }

  /** Wait no longer for a token that was asked for. */
  stop(): void {
    this.deadline.clear();
  }

  private async ask(answer: unknown): Promise<string> {
    this.stop();
    this.deadline = new Timer();
    const asked = Promise.resolve(answer);
    const token = await within(this.timeoutMs, asked, "The token took too long.", this.deadline);
    if (typeof token !== "string" || !SUBPROTOCOL.test(token)) throw new Error(noToken(token));
    return token;
  }

  /** Drop a token that the server refused; false if it was new, and the one before refused too. */
  reject(): boolean {
    const isAgain = this.wasRejected && Date.now() - this.givenAt < FRESH_MS;
    [this.token, this.reason, this.wasRejected] = [null, "rejected", !isAgain];
    return !isAgain;
  }

  /** Ask for another one next, as after a new sign-in. */
  forget(): void {
    [this.token, this.reason, this.wasRejected] = [null, "first", false];
  }

  /** The server let the token in, and the connection has stood. */
  accept(): void {
    this.wasRejected = false;
  }
}

/** Say what a provider gave in place of a token, and never what may be a secret. */
function noToken(given: unknown): string {
  const what =
    typeof given === "string"
      ? given
        ? "a text that is no token"
        : "an empty text"
      : String(given);
  return `The page's token provider gave ${what}.`;
}

/**
 * Return the subprotocols that carry a token, if there is one.
 *
 * A browser cannot set headers, and a URL is written to logs. The server selects the first, because
 * browsers fail a connection whose offer is not answered.
 */
export function subprotocols(token: string): string[] {
  return ["realtime.v1", ...(token ? [`bearer.${token}`] : [])];
}
