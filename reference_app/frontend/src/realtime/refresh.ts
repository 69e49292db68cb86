import { Rate } from "./rate";
import { asError, type Token } from "./token";

/** Tokens that are asked for on one socket, whatever the server sends: two, and two a minute. */
const AT_ONCE = 2;
const EVERY_MS = 30_000;

/** Gives an open connection a new token before its old one expires. */
export class Refresh {
  private triesLeft = 0;
  private isAnswered = false;
  private readonly rate = new Rate(AT_ONCE, EVERY_MS);

  constructor(
    private readonly token: Token,
    private readonly send: (token: string) => void,
    private readonly failed: (error: Error) => void,
  ) {}

  /** A new socket begins. */
  start(): void {
    this.isAnswered = false;
    this.triesLeft = 0;
  }

  /** The server said that the token expires soon; it is answered once, however often it is said. */
  async expiring(): Promise<void> {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.triesLeft = 1;
    // The server may say it again where no token could be had.
    this.isAnswered = await this.renew("expiring");
  }

  /** The server took the new token, and will say when that one expires. */
  refreshed(): void {
    this.isAnswered = false;
  }

  /** The server refused the new token: try one more, then let it close with its own code. */
  async refused(): Promise<void> {
    if (this.triesLeft === 0) return;
    this.triesLeft -= 1;
    await this.renew("rejected");
  }

  private async renew(reason: "expiring" | "rejected"): Promise<boolean> {
    if (this.rate.waitMs() > 0) return false;
    this.rate.count();
    try {
      this.send(await this.token.renew(reason));
      return true;
    } catch (error) {
      this.failed(asError(error));
      return false;
    }
  }
}
