/** A place in a stream: an offset means something within its epoch only. */
export interface Place {
  readonly epoch: string;
  readonly offset: number;
}

/** How far a client has read its stream. */
export class Position {
  place: Place | null = null;

  /** Go on from where the server says. */
  begin({ epoch, offset }: Place): Place {
    return (this.place = { epoch, offset });
  }

  /** Return the place of a new entry; null for one that was seen, or that has no place. */
  advance(offset: number): Place | null {
    if (!this.place || !(offset > this.place.offset)) return null;
    return (this.place = { epoch: this.place.epoch, offset });
  }

  /** Return the URL that asks the server to go on from here. */
  addedTo(url: string): string {
    if (!this.place) return url;
    const resuming = new URL(url);
    resuming.searchParams.set("epoch", this.place.epoch);
    resuming.searchParams.set("offset", String(this.place.offset));
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
