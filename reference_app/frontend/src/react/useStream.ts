import { useEffect, useRef, useState } from "react";

import {
  type ClientEvents,
  type ClientOptions,
  type ErrorFrame,
  type OmittedFrame,
  RealtimeClient,
  type Status,
} from "../realtime";
import { History, type Keyed, lastOf } from "./history";

/** How a hook connects; all but the address and the limit may be new in each rendering. */
export interface StreamOptions extends Omit<ClientOptions, "url"> {
  url?: string;
  /** How many entries are kept, the latest ones. */
  limit?: number;
  /** Something may be lost: load anew what the page shows. */
  onGap?: (...places: ClientEvents["gap"]) => void;
  /** Sees every frame, for a live view. */
  onFrame?: (...frame: ClientEvents["frame"]) => void;
}

/** An entry as it was sent. */
export interface SentItem extends Keyed {
  omitted?: undefined;
}

/** Is listed in the place of an entry that was too large to be sent: a page should say so there. */
export interface OmittedItem extends Keyed {
  omitted: OmittedFrame;
}

/** What a hook knows of its stream. */
export interface StreamState<Item> {
  items: (Item | OmittedItem)[];
  /** How many entries have come, with those that the list no longer holds. */
  arrived: number;
  status: Status;
  /** The latest complaint since the socket opened, or the server took another token. */
  error: Error | ErrorFrame | null;
}

/** What a hook returns: the state of its stream, with a name for the items. */
export type Listed<Name extends string, Item> = Omit<StreamState<Item>, "items"> &
  Record<Name, StreamState<Item>["items"]>;

/** Calls `add` for each entry of its kind that a client tells. */
export type Subscribe<Item> = (client: RealtimeClient, add: (item: Item) => void) => void;

const DEFAULT_LIMIT = 100;

const NOTHING: StreamState<never> = {
  items: [],
  arrived: 0,
  status: { state: "connecting" },
  error: null,
};

/**
 * Follow one stream while the component is mounted.
 *
 * A client connects after the turn in which it was opened, so the effect that StrictMode runs and
 * undoes at once opens no socket.
 */
export function useStream<Item extends SentItem>(
  url: string,
  options: StreamOptions,
  subscribe: Subscribe<Item>,
): StreamState<Item> {
  // With its address: the state of another stream must not be shown as this one's, not even once.
  const [followed, setFollowed] = useState({ url, state: NOTHING as StreamState<Item> });
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const limit = options.limit ?? DEFAULT_LIMIT;

  useEffect(() => {
    let isOver = false;
    const change = (part: (was: StreamState<Item>) => Partial<StreamState<Item>>) => {
      if (isOver) return; // a token may fail after its stream was left
      setFollowed(({ state }) => ({ url, state: { ...state, ...part(state) } }));
    };
    const history = new History<Item | OmittedItem>(limit, (added, arrived) =>
      change(({ items }) => ({ items: lastOf([...items, ...added], limit), arrived })),
    );
    const client = clientOf(url, latest);
    client.on("status", (status) => change(() => ({ status })));
    client.on("established", () => change(() => ({ error: null })));
    client.on("error", (error) => change(() => ({ error })));
    client.on("frame", (_, { type }) => {
      if (type === "token.refreshed") change(() => ({ error: null }));
    });
    client.on("omitted", (omitted, key) => history.add({ key, omitted }));
    subscribe(client, (item) => history.add(item));
    client.open();
    return () => {
      isOver = true;
      history.stop();
      client.close();
      setFollowed({ url, state: NOTHING });
    };
  }, [url, limit, subscribe]);

  return followed.url === url ? followed.state : NOTHING;
}

function clientOf(url: string, latest: { current: StreamOptions }): RealtimeClient {
  const { limit: _limit, onGap: _onGap, onFrame: _onFrame, ...options } = latest.current;
  const client = new RealtimeClient({
    ...options,
    url,
    token: (reason) => latest.current.token(reason),
  });
  client.on("gap", (...places) => latest.current.onGap?.(...places));
  client.on("frame", (...frame) => latest.current.onFrame?.(...frame));
  return client;
}
