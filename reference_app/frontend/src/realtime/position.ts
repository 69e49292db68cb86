/** One entry of a stream, or its beginning. */
export interface Place {
  /** Rises by one from entry to entry. */
  readonly offset: number;
  /** The server's name of this place. Only the server reads it; for a page it is a unique key. */
  readonly position: string;
}

/** Whether what came in a frame is a place. */
export function isPlace({ offset, position }: Record<keyof Place, unknown>): boolean {
  return isOffset(offset) && typeof position === "string" && position !== "";
}

/** Whether what came is an offset; beyond 2^53 - 1 two of them could not be told apart. */
export function isOffset(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** What a client begins with: all of a history, its last entries, or what follows a position. */
export type Since = "start" | number | (string & {});

/** Entries that a client tells from new ones after its server has gone back to an earlier place. */
const REMEMBERED = 1_000;

/** How far a client has read its stream. */
export class Position {
  place: Place | null = null;

  private readonly seen = new Set<string>();

  constructor(private readonly since?: Since) {}

  /** Go on from where the server says. */
  begin({ offset, position }: Place): Place {
    return (this.place = { offset, position });
  }

  /** Return how many entries after the last one this one is: the next is 1, one seen below that. */
  stepsTo({ offset }: Place): number {
    return offset - (this.place?.offset ?? 0);
  }

  /** Move to the next entry; false for one that was here before. */
  advance(entry: Place): boolean {
    const { position } = this.begin(entry);
    if (this.seen.has(position)) return false;
    this.seen.add(position);
    if (this.seen.size > REMEMBERED) this.seen.delete(this.seen.values().next().value!);
    return true;
  }

  /** Forget a stream, because another user's follows. */
  forget(): void {
    this.place = null;
    this.seen.clear();
  }

  /** Return the URL that asks the server to go on from here, or to begin where it should. */
  addedTo(url: string): string {
    const from = this.place?.position ?? this.since;
    if (from === undefined) return url;
    const isHistory = from === "start" || typeof from === "number";
    const asking = new URL(url);
    asking.searchParams.set(isHistory ? "since" : "position", String(from));
    return asking.href;
  }
}

/** Return the WebSocket URL of an address, which may be a path of this page's server. */
export function socketUrl(address: string): string {
  const url = new URL(address, globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = ""; // a WebSocket refuses a fragment
  return url.href;
}
