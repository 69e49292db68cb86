import {
  CLOSED,
  RealtimeClient
} from "./shared.js";

// src/react/provider.tsx
import { createContext, useEffect, useMemo, useRef } from "react";
import { jsx } from "react/jsx-runtime";
var SharedStreams = class {
  constructor(connection) {
    this.connection = connection;
  }
  connection;
  streams = /* @__PURE__ */ new Map();
  /** Return the stream that other components have too, or keep a new one. */
  get(kind, id, make) {
    const ofKind = this.streams.get(kind) ?? /* @__PURE__ */ new Map();
    this.streams.set(kind, ofKind);
    if (!ofKind.has(id)) ofKind.set(id, make());
    return ofKind.get(id);
  }
};
var Shared = createContext(null);
function RealtimeProvider({ user, children, ...connection }) {
  const latest = useRef(connection);
  useEffect(() => {
    latest.current = connection;
  });
  const shared = useMemo(
    () => ({ streams: user === null ? null : new SharedStreams(latest) }),
    [user]
  );
  return /* @__PURE__ */ jsx(Shared.Provider, { value: shared, children });
}

// src/react/useStream.ts
import { useContext, useEffect as useEffect2, useMemo as useMemo2, useRef as useRef2, useSyncExternalStore } from "react";

// src/react/history.ts
var FLUSH_MS = 16;
var History = class {
  constructor(limit, flush) {
    this.limit = limit;
    this.flush = flush;
  }
  limit;
  flush;
  pending = [];
  count = 0;
  timer;
  add(item) {
    this.pending.push(item);
    this.count += 1;
    if (this.pending.length > 2 * this.limit) this.pending = lastOf(this.pending, this.limit);
    this.timer ??= setTimeout(() => this.flushNow(), FLUSH_MS);
  }
  /** Forget what has come and was not told. */
  clear() {
    clearTimeout(this.timer);
    this.timer = void 0;
    [this.pending, this.count] = [[], 0];
  }
  flushNow() {
    const arrived = this.pending;
    this.pending = [];
    this.timer = void 0;
    this.flush(arrived, this.count);
  }
};
function lastOf(items, count) {
  return items.slice(Math.max(0, items.length - count));
}

// src/react/stream.ts
var NOTHING = {
  items: [],
  arrived: 0,
  read: null,
  unread: null,
  status: { state: "connecting" },
  error: null
};
var Stream = class {
  constructor(options, limit, kind) {
    this.options = options;
    this.limit = limit;
    this.kind = kind;
  }
  options;
  limit;
  kind;
  handlers = /* @__PURE__ */ new Set();
  state = NOTHING;
  client = null;
  watching = /* @__PURE__ */ new Set();
  /** Call `changed` after each change of the state, until the function that is returned is called. */
  watch = (changed) => {
    this.watching.add(changed);
    if (!this.client) this.open();
    return () => {
      this.watching.delete(changed);
      if (this.watching.size === 0) this.close();
    };
  };
  snapshot = () => this.state;
  /** Connect anew with a new token, as after a new sign-in. */
  reconnect = () => this.client?.reconnect();
  /** Move the user's read mark up to an item's offset, or to the end; every tab is told. */
  markAsRead = (offset = this.client?.offset ?? 0) => this.client?.markAsRead(offset);
  open() {
    const client = new RealtimeClient(this.options());
    const history = new History(
      this.limit,
      (added, arrived) => change({ items: lastOf([...this.state.items, ...added], this.limit), arrived })
    );
    const change = (part) => {
      if (this.client !== client) return;
      const state = { ...this.state, ...part };
      const unread = state.read === null ? null : Math.max(0, client.offset - state.read);
      this.set({ ...state, unread });
    };
    client.on("status", (status) => change({ status }));
    client.on("error", (error) => change({ error }));
    client.on("established", ({ recovered }) => {
      const { read } = this.state;
      change({ error: null, read: recovered === false ? null : read });
    });
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
  stop = () => {
  };
  close() {
    const { client } = this;
    this.client = null;
    this.state = NOTHING;
    this.stop();
    client?.close();
  }
  tell(client) {
    client.on("gap", (...places) => this.each((handlers) => handlers.onGap?.(...places)));
    client.on("established", (frame) => this.each((handlers) => handlers.onEstablished?.(frame)));
    client.on("frame", (...frame) => this.each((handlers) => handlers.onFrame?.(...frame)));
  }
  each(call) {
    for (const { current } of this.handlers) call(current);
  }
  set(state) {
    this.state = state;
    for (const changed of this.watching) changed();
  }
};

// src/react/useStream.ts
var DEFAULT_LIMIT = 100;
var OFF = {
  ...NOTHING,
  status: CLOSED,
  reconnect: () => {
  },
  markAsRead: () => {
  }
};
var watchNothing = () => () => {
};
var nothing = () => NOTHING;
function useStream(url, options, kind) {
  const latest = useRef2(options);
  useEffect2(() => {
    latest.current = options;
  });
  const stream = useStreamOf(url, options, kind, latest);
  useEffect2(() => {
    stream?.handlers.add(latest);
    return () => void stream?.handlers.delete(latest);
  }, [stream]);
  const snapshot = stream?.snapshot ?? nothing;
  const state = useSyncExternalStore(
    stream?.watch ?? watchNothing,
    snapshot,
    nothing
  );
  return stream ? { ...state, reconnect: stream.reconnect, markAsRead: stream.markAsRead } : OFF;
}
function useStreamOf(url, { token, user, limit = DEFAULT_LIMIT, enabled = true }, kind, latest) {
  const provided = useContext(Shared);
  const shared = token ? null : provided;
  return useMemo2(() => {
    if (!enabled || user === null || shared && !shared.streams) return null;
    const streams = shared?.streams;
    const connection = streams?.connection ?? latest;
    const make = () => new Stream(() => optionsOf(url, connection), limit, kind);
    return streams ? streams.get(kind, `${limit} ${url}`, make) : make();
  }, [shared, url, user, limit, enabled, kind, latest]);
}
function optionsOf(url, latest) {
  const { since, backoff, heartbeat, connectTimeoutMs, onlineJitterMs, random } = latest.current;
  const { token: first } = latest.current;
  const token = first && (async (reason) => (latest.current.token ?? first)(reason));
  return { since, backoff, heartbeat, connectTimeoutMs, onlineJitterMs, random, url, token };
}

// src/react/useNotifications.ts
function useNotifications(options = {}) {
  const url = options.url ?? "/ws/notifications/";
  const { items, ...rest } = useStream(url, options, notifications);
  return { notifications: items, ...rest };
}
var notifications = (client, add) => {
  client.on(
    "notification",
    ({ notification, offset }, key) => add({ ...notification, key, offset, omitted: void 0 })
  );
  client.markAsRead(0);
};

// src/react/useOrganizationEvents.ts
function useOrganizationEvents(orgId, options = {}) {
  const url = options.url ?? `/ws/events/${encodeURIComponent(orgId)}/`;
  const { items, ...rest } = useStream(url, options, events);
  return { events: items, ...rest };
}
var events = (client, add) => {
  client.on("event", ({ event_type, data, offset }, key) => {
    add({ event_type, data, key, offset });
  });
};
export {
  RealtimeProvider,
  useNotifications,
  useOrganizationEvents
};
/*! Licenses of third parties: index.js.LEGAL.txt */
