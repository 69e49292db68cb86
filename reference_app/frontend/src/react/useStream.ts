import { useEffect, useRef, useState } from "react";

import {
  type ClientEvents,
  type ClientOptions,
  type ErrorFrame,
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

/** What a hook knows of its stream. */
export interface StreamState<Item> {
  items: Item[];
  status: Status;
  /** The latest complaint since the socket opened. */
  error: Error | ErrorFrame | null;
}

/** Calls `add` for each entry of its kind that a client tells. */
export type Subscribe<Item> = (client: RealtimeClient, add: (item: Item) => void) => void;

const DEFAULT_LIMIT = 100;

/**
 * Follow one stream while the component is mounted.
 *
 * A client connects after the turn in which it was opened, so the effect that StrictMode runs and
 * undoes at once opens no socket.
 */
export function useStream<Item extends Keyed>(
  url: string,
  options: StreamOptions,
  subscribe: Subscribe<Item>,
): StreamState<Item> {
  const [state, setState] = useState<StreamState<Item>>(nothing);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const limit = options.limit ?? DEFAULT_LIMIT;

  useEffect(() => {
    const set = (part: Partial<StreamState<Item>>) => setState((was) => ({ ...was, ...part }));
    const history = new History<Item>(limit, (arrived) =>
      setState((was) => ({ ...was, items: lastOf([...was.items, ...arrived], limit) })),
    );
    const client = clientOf(url, latest);
    client.on("status", (status) => set({ status }));
    client.on("established", () => set({ error: null }));
    client.on("error", (error) => set({ error }));
    subscribe(client, (item) => history.add(item));
    client.open();
    return () => {
      history.stop();
      client.close();
      setState(nothing);
    };
  }, [url, limit, subscribe]);

  return state;
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

function nothing<Item>(): StreamState<Item> {
  return { items: [], status: { state: "connecting" }, error: null };
}
