/** What an issuer gives. */
export interface Grant {
  token: string;
  /** In milliseconds, as `Date.now()`. */
  expiresAt: number;
}

/** Asks for a token; of seconds to live only where a laptop's issuer knows that wish. */
export type Ask = (lifespan?: number) => Promise<Grant>;

/** The issuer has an answer, and it is no. */
export class GrantRefusedError extends Error {
  override name = "GrantRefusedError";
}
