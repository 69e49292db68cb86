import { createContext, type ReactNode, useEffect, useMemo, useRef } from "react";

import type { ClientOptions } from "../realtime";
import type { Kind, SentItem, Stream } from "./stream";

/** How sockets connect, but for their address. */
export type Connection = Omit<ClientOptions, "url">;

/** The streams of one signed-in user, by their kinds, addresses and limits. */
export class SharedStreams {
  private readonly streams = new Map<unknown, Map<string, unknown>>();

  constructor(readonly connection: { readonly current: Connection }) {}

  /** Return the stream that other components have too, or keep a new one. */
  get<Item extends SentItem>(kind: Kind<Item>, id: string, make: () => Stream<Item>): Stream<Item> {
    const ofKind = this.streams.get(kind) ?? new Map<string, unknown>();
    this.streams.set(kind, ofKind);
    if (!ofKind.has(id)) ofKind.set(id, make());
    return ofKind.get(id) as Stream<Item>;
  }
}

/** What a provider gives to the hooks below it; `streams` is null while nobody is signed in. */
export const Shared = createContext<{ streams: SharedStreams | null } | null>(null);

interface ProviderProps extends Connection {
  /** Who is signed in, by an id that another user does not have; null is nobody, so no socket. */
  user: string | null;
  children: ReactNode;
}

/** Let all components below share one socket for each stream, with the same token. */
export function RealtimeProvider({ user, children, ...connection }: ProviderProps) {
  const latest = useRef<Connection>(connection);
  useEffect(() => {
    latest.current = connection;
  });
  const shared = useMemo(
    () => ({ streams: user === null ? null : new SharedStreams(latest) }),
    [user],
  );
  return <Shared.Provider value={shared}>{children}</Shared.Provider>;
}
