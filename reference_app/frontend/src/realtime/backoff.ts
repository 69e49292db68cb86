/** Where random numbers come from: at least 0, less than 1. */
export type Random = () => number;

/** The bounds of the time to wait after a failure. */
export interface BackoffLimits {
  baseMs: number;
  capMs: number;
}

/**
 * Windows that double with each failure up to a cap; a delay is drawn from the whole window.
 *
 * Full jitter: without it, clients that lost their server together come back together.
 */
export class Backoff {
  private failures = 0;

  constructor(
    private readonly limits: BackoffLimits,
    private readonly random: Random,
  ) {}

  /** Count a failure and return how long to wait after it; the first window may be wider. */
  next(firstWindowMs = this.limits.baseMs): number {
    const { baseMs, capMs } = this.limits;
    const windowMs = Math.min(capMs, baseMs * 2 ** this.failures);
    this.failures += 1;
    return this.jitter(Math.max(windowMs, firstWindowMs));
  }

  /** Return a random part of a window. */
  jitter(windowMs: number): number {
    return this.random() * windowMs;
  }

  reset(): void {
    this.failures = 0;
  }
}
