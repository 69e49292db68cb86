const MINUTE_MS = 60_000;

/** Bounds how often something is done in a minute, whatever asks for it. */
export class Rate {
  private times: number[] = [];

  constructor(private readonly mostInAMinute: number) {}

  /** Return how long to wait before it may be done again. */
  waitMs(): number {
    const now = Date.now();
    // A clock that was set back must not make a client wait for hours.
    this.times = this.times.filter((at) => at <= now && now - at < MINUTE_MS);
    if (this.times.length < this.mostInAMinute) return 0;
    return this.times.at(-this.mostInAMinute)! + MINUTE_MS - now;
  }

  /** It is done now. */
  count(): void {
    this.times.push(Date.now());
  }
}
