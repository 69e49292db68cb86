import { SignInRequiredError, type TokenProvider } from "../realtime";
import { within } from "../realtime/within";
import { type Ask, type Grant, GrantRefusedError } from "./issuer";

/** A token with less left than this is not worth sending. */
const MARGIN_MS = 1_000;

/** How long an issuer may take; less than a client waits, so that it can say who is slow. */
const PATIENCE_MS = 8_000;

/** One user who is signed in: the sockets and the requests of a session share its tokens. */
export class Account {
  /** Whether a token may be followed by another without the user. */
  renews = true;

  private asking: Promise<Grant> | null = null;
  private isOver = false;

  /** Begin with what a sign-in brought, if it brought anything. */
  constructor(
    private readonly ask: Ask,
    private grant: Grant | null = null,
  ) {}

  /** Return a provider for one socket: a token that failed it is not given to it again. */
  provider(): TokenProvider {
    let given: string | null = null;
    return async () => (given = await this.newerThan(given));
  }

  /** Return a token for a request. */
  async token(): Promise<string> {
    return this.newerThan(null);
  }

  /** Go on with a token that lives so many seconds, and return the one that it replaces. */
  async shorten(lifespan: number): Promise<string> {
    const replaced = await this.token();
    this.grant = await this.ask(lifespan);
    return replaced;
  }

  /** Give no token any more, and return the last one. */
  async signOut(): Promise<string> {
    const last = await this.token();
    [this.grant, this.isOver] = [null, true];
    return last;
  }

  private async newerThan(used: string | null): Promise<string> {
    const { grant } = this;
    if (grant && grant.token !== used && grant.expiresAt > Date.now() + MARGIN_MS) {
      return grant.token;
    }
    return (await (this.asking ??= this.next())).token;
  }

  private async next(): Promise<Grant> {
    try {
      if (this.isOver) throw new SignInRequiredError("You signed out.");
      if (this.grant && !this.renews) throw new SignInRequiredError("Renewing is switched off.");
      const grant = await within(PATIENCE_MS, this.ask(), "The issuer of tokens does not answer.");
      if (this.isOver) throw new SignInRequiredError("You signed out.");
      return (this.grant = grant);
    } catch (error) {
      if (error instanceof GrantRefusedError) throw new SignInRequiredError(error.message);
      throw error;
    } finally {
      this.asking = null;
    }
  }
}
