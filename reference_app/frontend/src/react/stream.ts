import {
  type ClientEvents,
  type ClientOptions,
  type ErrorFrame,
  type OmittedFrame,
  RealtimeClient,
  type Status,
} from "../realtime";
import { History, type Keyed, lastOf } from "./history";

/** An item of a list; it is unread where its offset is above the read mark. */
interface Item extends Keyed {
  offset: number;
}

/** An entry as it was sent. */
export interface SentItem extends Item {
  omitted?: undefined;
}

/** Is listed in the place of an entry that was too large to be sent: a page should say so there. */
export interface OmittedItem extends Item {
  omitted: OmittedFrame;
}

/** What is known of a stream. */
export interface StreamState<Item> {
  items: (Item | OmittedItem)[];
  /** How many entries have come, with those that the list no longer holds. */
  arrived: number;
  /** The offset up to which the user has read, in whatever tab; null while it is not known. */
  read: number | null;
  /** How many entries follow it, listed or not. */
  unread: number | null;
  status: Status;
  /** The latest complaint since the socket opened, or the server took another token. */
  error: Error | ErrorFrame | null;
}

/** What a component is told of a stream beside its state. */
export interface StreamHandlers {
  /** Something may be lost: load anew what the page shows. */
  onGap?: ((...places: ClientEvents["gap"]) => void) | undefined;
  /** The server let the socket in. */
  onEstablished?: ((...frame: ClientEvents["established"]) => void) | undefined;
  /** Sees every frame, for a live view. */
  onFrame?: ((...frame: ClientEvents["frame"]) => void) | undefined;
}

/** Calls `add` for each entry of its kind that a client tells. */
export type Kind<Item> = (client: RealtimeClient, add: (item: Item) => void) => void;

export const NOTHING: StreamState<never> = {
  items: [],
  arrived: 0,
  read: null,
  unread: null,
  status: { state: "connecting" },
  error: null,
};

/**
 * One stream, with the latest of its entries; all components that watch it share one client.
 *
 * The client connects for the first component and is closed after the last one. It does so after the
 * turn in which it was opened, so the effect that StrictMode runs and undoes opens no socket.
 */
export class Stream<Item extends SentItem> {
  readonly handlers = new Set<{ readonly current: StreamHandlers }>();

  private state: StreamState<Item> = NOTHING;
  private client: RealtimeClient | null = null;
  private readonly watching = new Set<() => void>();

  constructor(
    private readonly options: () => ClientOptions,
    private readonly limit: number,
    private readonly kind: Kind<Item>,
  ) {}

  /** Call `changed` after each change of the state, until the function that is returned is called. */
  readonly watch = (changed: () => void): (() => void) => {
    this.watching.add(changed);
    if (!this.client) this.open();
    return () => {
      this.watching.delete(changed);
      if (this.watching.size === 0) this.close();
    };
  };

  readonly snapshot = (): StreamState<Item> => this.state;

  /** Connect anew with a new token, as after a new sign-in. */
  readonly reconnect = (): void => this.client?.reconnect();

  /** Move the user's read mark up to an item's offset, or to the end; every tab is told. */
  readonly markAsRead = (offset = this.client?.offset ?? 0): void =>
    this.client?.markAsRead(offset);

  private open(): void {
    const client = new RealtimeClient(this.options());
    const history = new History<Item | OmittedItem>(this.limit, (added, arrived) =>
      change({ items: lastOf([...this.state.items, ...added], this.limit), arrived }),
    );
    const change = (part: Partial<StreamState<Item>>) => {
      if (this.client !== client) return; // its token may fail later
      const state = { ...this.state, ...part };
      const unread = state.read === null ? null : Math.max(0, client.offset! - state.read);
      this.set({ ...state, unread });
    };
    client.on("status", (status) => change({ status }));
    client.on("error", (error) => change({ error }));
    client.on("established", ({ recovered }) => {
      // Of another history, the mark may be an earlier one.
      const { read } = this.state;
      change({ error: null, read: recovered === false ? null : read });
    });
    // The answer to one tab may overtake what another tab has caused before.
    client.on("read", ({ offset }) => offset > (this.state.read ?? -1) && change({ read: offset }));
    client.on("frame", (_, { type }) => type === "token.refreshed" && change({ error: null }));
    client.on("user", () => {
      history.clear();
      change({ items: [], arrived: 0, read: null });
    });
    client.on("omitted", (omitted, key) => history.add({ key, offset: omitted.offset, omitted }));
    this.kind(client, (item) => history.add(item));
    this.tell(client);
    this.client = client;
    this.stop = () => history.clear();
    client.open();
  }

  private stop = (): void => {};

  private close(): void {
    const { client } = this;
    this.client = null;
    this.state = NOTHING;
    this.stop();
    client?.close();
  }

  private tell(client: RealtimeClient): void {
    client.on("gap", (...places) => this.each((handlers) => handlers.onGap?.(...places)));
    client.on("established", (frame) => this.each((handlers) => handlers.onEstablished?.(frame)));
    client.on("frame", (...frame) => this.each((handlers) => handlers.onFrame?.(...frame)));
  }

  private each(call: (handlers: StreamHandlers) => void): void {
    for (const { current } of this.handlers) call(current);
  }

  private set(state: StreamState<Item>): void {
    this.state = state;
    for (const changed of this.watching) changed();
  }
}
