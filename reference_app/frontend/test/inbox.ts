/** What comes, in order; `next()` waits for it. */
export class Inbox<Item> {
  readonly all: Item[] = [];
  private taken = 0;
  private readonly waiting: ((item: Item) => void)[] = [];

  readonly put = (item: Item): void => {
    this.all.push(item);
    const receiver = this.waiting.shift();
    if (receiver) this.taken += 1;
    receiver?.(item);
  };

  next(): Promise<Item> {
    const item = this.all[this.taken];
    if (item === undefined) return new Promise((resolve) => this.waiting.push(resolve));
    this.taken += 1;
    return Promise.resolve(item);
  }

  /** Wait for the next item that fits, and pass over those before it. */
  async until(fits: (item: Item) => boolean): Promise<Item> {
    let item = await this.next();
    while (!fits(item)) item = await this.next();
    return item;
  }
}
