/** One entry of a stream, or its beginning. */
export interface Place {
  /** Rises by one from entry to entry. */
  readonly offset: number;
  /** The server's name of this place. Only the server reads it; for a page it is a unique key. */
  readonly position: string;
}

/** How far a client has read its stream. */
export class Position {
  place: Place | null = null;

  /** Go on from where the server says, which may be before the last place. */
  begin({ offset, position }: Place): Place {
    return (this.place = { offset, position });
  }

  /** Move to an entry; false for one that was seen, or that has no place. */
  advance({ offset, position }: Place): boolean {
    if (!this.place || !(offset > this.place.offset)) return false;
    this.place = { offset, position };
    return true;
  }

  /** Return the URL that asks the server to go on from here. */
  addedTo(url: string): string {
    if (!this.place) return url;
    const resuming = new URL(url);
    resuming.searchParams.set("position", this.place.position);
    return resuming.href;
  }
}

/** Return the WebSocket URL of an address, which may be a path of this page's server. */
export function socketUrl(address: string): string {
  const url = new URL(address, globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = ""; // a WebSocket refuses a fragment
  return url.href;
}
