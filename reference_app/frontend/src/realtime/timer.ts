/** The longest time that a client waits for anything. A browser's timer holds up to 2^31 - 1 ms. */
export const LONGEST_MS = 300_000;

/** Return a time that a timer can hold; the usual one for what is no time at all. */
export function duration(ms: unknown, usualMs: number, leastMs = 0): number {
  const isTime = typeof ms === "number" && Number.isFinite(ms) && ms >= 0;
  return Math.min(Math.max(isTime ? ms : usualMs, leastMs), LONGEST_MS);
}

/** One timer, which is set anew or cleared. */
export class Timer {
  private id: ReturnType<typeof setTimeout> | undefined;

  get isSet(): boolean {
    return this.id !== undefined;
  }

  /** Call `run` once after a time, and whatever was to be called before no more. */
  set(ms: number, run: () => void): void {
    this.clear();
    this.id = setTimeout(
      () => {
        this.id = undefined;
        run();
      },
      duration(ms, LONGEST_MS),
    );
  }

  clear(): void {
    clearTimeout(this.id);
    this.id = undefined;
  }
}
