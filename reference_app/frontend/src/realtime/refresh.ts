import { asError, type Token } from "./token";

/** Gives an open connection a new token before its old one expires. */
export class Refresh {
  private triesLeft = 0;

  constructor(
    private readonly token: Token,
    private readonly send: (token: string) => void,
    private readonly failed: (error: Error) => void,
  ) {}

  /** The server said that the token expires soon. */
  expiring(): Promise<void> {
    this.triesLeft = 1;
    return this.renew("expiring");
  }

  /** The server refused the new token: try one more, then let it close with its own code. */
  async refused(): Promise<void> {
    if (this.triesLeft === 0) return;
    this.triesLeft -= 1;
    await this.renew("rejected");
  }

  private async renew(reason: "expiring" | "rejected"): Promise<void> {
    try {
      this.send(await this.token.renew(reason));
    } catch (error) {
      this.failed(asError(error));
    }
  }
}
