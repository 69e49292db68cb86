import { useContext, useEffect, useMemo, useRef, useSyncExternalStore } from "react";

import { type ClientOptions, CLOSED, type TokenProvider } from "../realtime";
import { type Connection, Shared } from "./provider";
import {
  type Kind,
  NOTHING,
  type SentItem,
  Stream,
  type StreamHandlers,
  type StreamState,
} from "./stream";

/** How a hook connects. A function may be a new one in each rendering. */
export interface StreamOptions extends Omit<Connection, "token">, StreamHandlers {
  url?: string | undefined;
  /** Left out below a `RealtimeProvider`, or where the session cookie says who the user is. */
  token?: TokenProvider | undefined;
  /** Who is signed in, by an id that another user does not have: another one sees a new stream. */
  user?: string | null | undefined;
  /** False for no socket, as long as there is nobody to connect for. */
  enabled?: boolean | undefined;
  /** How many entries are kept, the latest ones. */
  limit?: number | undefined;
}

/** What a hook knows of its stream, and does with it. */
export interface HookState<Item> extends StreamState<Item> {
  /** Connect anew with a new token, as after a new sign-in. */
  reconnect: () => void;
  /** Move the user's read mark up to an item's offset, or to the end; every tab is told. */
  markAsRead: (offset?: number) => void;
}

/** What a hook returns: the state of its stream, with a name for the items. */
export type Listed<Name extends string, Item> = Omit<HookState<Item>, "items"> &
  Record<Name, StreamState<Item>["items"]>;

const DEFAULT_LIMIT = 100;

const OFF: HookState<never> = {
  ...NOTHING,
  status: CLOSED,
  reconnect: () => {},
  markAsRead: () => {},
};

const watchNothing = () => () => {};
const nothing = () => NOTHING;

/** Follow one stream while the component is mounted. */
export function useStream<Item extends SentItem>(
  url: string,
  options: StreamOptions,
  kind: Kind<Item>,
): HookState<Item> {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const stream = useStreamOf(url, options, kind, latest);
  useEffect(() => {
    stream?.handlers.add(latest);
    return () => void stream?.handlers.delete(latest);
  }, [stream]);
  const snapshot = stream?.snapshot ?? nothing;
  const state = useSyncExternalStore<StreamState<Item>>(
    stream?.watch ?? watchNothing,
    snapshot,
    nothing,
  );
  return stream ? { ...state, reconnect: stream.reconnect, markAsRead: stream.markAsRead } : OFF;
}

/** Return the stream of a component, which may be one that others watch; null where it is off. */
function useStreamOf<Item extends SentItem>(
  url: string,
  { token, user, limit = DEFAULT_LIMIT, enabled = true }: StreamOptions,
  kind: Kind<Item>,
  latest: { readonly current: StreamOptions },
): Stream<Item> | null {
  const provided = useContext(Shared);
  const shared = token ? null : provided;
  return useMemo(() => {
    if (!enabled || user === null || (shared && !shared.streams)) return null;
    const streams = shared?.streams;
    const connection = streams?.connection ?? latest;
    const make = () => new Stream<Item>(() => optionsOf(url, connection), limit, kind);
    return streams ? streams.get(kind, `${limit} ${url}`, make) : make();
  }, [shared, url, user, limit, enabled, kind, latest]);
}

/** Return how to connect; for each token the provider of the latest rendering is asked. */
function optionsOf(
  url: string,
  latest: { readonly current: Pick<StreamOptions, keyof Connection> },
): ClientOptions {
  const { since, backoff, heartbeat, connectTimeoutMs, onlineJitterMs, random } = latest.current;
  const { token: first } = latest.current;
  const token: TokenProvider | undefined =
    first && (async (reason) => (latest.current.token ?? first)(reason));
  return { since, backoff, heartbeat, connectTimeoutMs, onlineJitterMs, random, url, token };
}
