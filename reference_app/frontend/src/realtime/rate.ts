/**
 * Bounds how often something is done: so often at once, and then once in each interval.
 *
 * A count for each minute would make a client wait for the rest of that minute.
 */
export class Rate {
  private allFreeAt = 0;

  constructor(
    private readonly atOnce: number,
    private readonly everyMs: number,
  ) {}

  /** Return how long to wait before it may be done again. */
  waitMs(): number {
    return Math.max(0, this.takenMs() - (this.atOnce - 1) * this.everyMs);
  }

  /** It is done now. */
  count(): void {
    this.allFreeAt = Date.now() + this.takenMs() + this.everyMs;
  }

  /** A clock that was set back must not make a client wait for hours. */
  private takenMs(): number {
    return Math.min(Math.max(0, this.allFreeAt - Date.now()), this.atOnce * this.everyMs);
  }
}
