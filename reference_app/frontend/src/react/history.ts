/** An entry of a stream; the key is the same in each rendering, and no other entry has it. */
export interface Keyed {
  key: string;
}

/** About a frame of the screen; `requestAnimationFrame` would stand still in a hidden tab. */
const FLUSH_MS = 16;

/** Collects entries, and tells of many at once: a rendering for each would freeze a page. */
export class History<Item extends Keyed> {
  private pending: Item[] = [];
  private count = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly limit: number,
    /** Given what has come since it was last called, the latest of it, and how many in all. */
    private readonly flush: (arrived: Item[], count: number) => void,
  ) {}

  add(item: Item): void {
    this.pending.push(item);
    this.count += 1;
    // A hidden tab's timers come once a second, or once a minute.
    if (this.pending.length > 2 * this.limit) this.pending = lastOf(this.pending, this.limit);
    this.timer ??= setTimeout(() => this.flushNow(), FLUSH_MS);
  }

  /** Forget what has come and was not told. */
  clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    [this.pending, this.count] = [[], 0];
  }

  private flushNow(): void {
    const arrived = this.pending;
    this.pending = [];
    this.timer = undefined;
    this.flush(arrived, this.count);
  }
}

/** Return the end of a list. */
export function lastOf<Item>(items: Item[], count: number): Item[] {
  return items.slice(Math.max(0, items.length - count));
}
