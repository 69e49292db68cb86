import { renderHook, waitFor } from "@testing-library/react";
import { createElement, type ReactNode, StrictMode } from "react";
import { describe, expect, test, vi } from "vitest";

import { CloseCode } from "../../src/realtime";
import {
  type EventItem,
  RealtimeProvider,
  type StreamOptions,
  useNotifications,
  useOrganizationEvents,
} from "../../src/react";
import { afterAnotherClientCame, provider, server } from "../client";
import { Inbox } from "../inbox";
import { at } from "../server";
import { useHooks } from "./rendering";

useHooks();

function soon(options: Partial<StreamOptions> = {}): StreamOptions {
  return { token: async () => "token-1", random: () => 0, backoff: { baseMs: 1 }, ...options };
}

describe("useNotifications", () => {
  test("shows what comes, oldest first, each with a key of its own", async () => {
    const { result } = renderHook(() => useNotifications(soon()));
    const status = { state: "connecting" };
    expect(result.current).toMatchObject({ notifications: [], arrived: 0, status, error: null });
    const connection = await server.established(at(6));
    expect(connection.path).toBe("/ws/notifications/");
    connection.notify(7, "one");
    connection.notify(8, "two");
    await waitFor(() => expect(result.current.notifications).toHaveLength(2));
    expect(result.current.notifications).toEqual([
      { key: at(7).position, offset: 7, title: "one", body: "" },
      { key: at(8).position, offset: 8, title: "two", body: "" },
    ]);
    expect(result.current.status).toEqual({ state: "open" });
  });

  test("resumes and shows nothing twice", async () => {
    const { result } = renderHook(() => useNotifications(soon()));
    const first = await server.established();
    first.notify(1);
    await waitFor(() => expect(result.current.notifications).toHaveLength(1));
    first.vanish();
    const second = await server.established({ ...at(1), recovered: true });
    expect(second.query).toEqual({ position: at(1).position });
    second.notify(1);
    second.notify(2);
    await waitFor(() => expect(result.current.notifications.at(-1)?.key).toBe(at(2).position));
    expect(result.current.notifications).toHaveLength(2);
    expect(result.current.arrived).toBe(2);
  });

  test("in StrictMode: one token, one socket, and none after unmounting", async () => {
    const token = provider("token-1");
    const options = soon({ token });
    const { unmount } = renderHook(() => useNotifications(options), { wrapper: StrictMode });
    const connection = await server.established();
    await afterAnotherClientCame();
    expect(server.connections.all).toHaveLength(2);
    expect(token).toHaveBeenCalledTimes(1);
    unmount();
    expect(await connection.closed).toBe(1000);
    await afterAnotherClientCame();
    expect(server.connections.all).toHaveLength(3);
  });

  test("keeps the latest entries only", async () => {
    const { result } = renderHook(() => useNotifications(soon({ limit: 3 })));
    const connection = await server.established();
    for (let offset = 1; offset <= 10; offset++) connection.notify(offset);
    await waitFor(() => expect(result.current.arrived).toBe(10));
    const keys = result.current.notifications.map(({ key }) => key);
    expect(keys).toEqual([8, 9, 10].map((offset) => at(offset).position));
  });

  test("lists an entry that was too large in its place", async () => {
    const { result } = renderHook(() => useNotifications(soon()));
    const connection = await server.established();
    connection.notify(1);
    connection.omit(2);
    connection.notify(3);
    await waitFor(() => expect(result.current.arrived).toBe(3));
    const { position } = at(2);
    expect(result.current.notifications).toMatchObject([
      { title: "n1" },
      { key: position, omitted: { type: "entry.omitted", size: 2_000_000, position } },
      { title: "n3" },
    ]);
  });

  test("a notification's own keys do not make it look omitted", async () => {
    const { result } = renderHook(() => useNotifications(soon()));
    const own = { omitted: { size: 1 }, key: "mine", offset: "mine" };
    const notification = { title: "one", body: "", ...own };
    (await server.established()).send({ type: "notification", notification, ...at(1) });
    await waitFor(() => expect(result.current.arrived).toBe(1));
    const listed = { key: at(1).position, offset: 1, title: "one", body: "" };
    expect(result.current.notifications).toEqual([listed]);
  });

  test("a burst of 1,000 costs few renderings", async () => {
    let renderings = 0;
    const { result } = renderHook(() => {
      renderings += 1;
      return useNotifications(soon());
    });
    const connection = await server.established();
    await waitFor(() => expect(result.current.status.state).toBe("open"));
    const before = renderings;
    for (let offset = 1; offset <= 1_000; offset++) connection.notify(offset);
    await waitFor(() => expect(result.current.arrived).toBe(1_000));
    expect(result.current.notifications).toHaveLength(100);
    expect(renderings - before).toBeLessThan(100);
  });

  test("says why it stopped", async () => {
    const { result } = renderHook(() => useNotifications(soon()));
    (await server.next()).refuse(CloseCode.TOO_MANY_CONNECTIONS);
    await waitFor(() => expect(result.current.status.state).toBe("stopped"));
    expect(result.current.status).toMatchObject({ name: "TOO_MANY_CONNECTIONS" });
  });

  test("shows an error until the socket is open", async () => {
    const error = new Error("Keycloak is out of reach.");
    const token = provider(error, error, "token-1");
    const options = soon({ token, random: () => 0.5, backoff: { baseMs: 200 } });
    const { result } = renderHook(() => useNotifications(options));
    await waitFor(() => expect(result.current.error).toBe(error));
    await server.established();
    await waitFor(() => expect(result.current.status.state).toBe("open"));
    expect(result.current.error).toBeNull();
  });

  test("shows an error until another token is taken", async () => {
    const error = new Error("Keycloak is out of reach.");
    const token = provider("token-1", error, "token-2");
    const { result } = renderHook(() => useNotifications(soon({ token })));
    const connection = await server.established();
    const expires_at = "2026-11-24T12:00:00+00:00";
    connection.send({ type: "token.expiring", expires_at });
    await waitFor(() => expect(result.current.error).toBe(error));
    connection.send({ type: "token.expiring", expires_at });
    await connection.frames.next();
    expect(result.current.error).toBe(error);
    connection.send({ type: "token.refreshed", expires_at });
    await waitFor(() => expect(result.current.error).toBeNull());
  });

  test("options may be new in each rendering: no new socket, the latest is asked", async () => {
    const { result, rerender } = renderHook(
      ({ name, seen }) => useNotifications(soon({ token: async () => name, onFrame: seen })),
      { initialProps: { name: "token-1", seen: vi.fn() } },
    );
    const first = await server.established();
    await waitFor(() => expect(result.current.status.state).toBe("open"));
    const seen = vi.fn();
    rerender({ name: "token-2", seen });
    first.refuse(CloseCode.UNAUTHORIZED);
    expect((await server.established()).token).toBe("token-2");
    expect(seen.mock.calls[0]).toMatchObject(["in", { type: "connection.closing" }]);
    expect(server.connections.all).toHaveLength(2);
  });

  test("tells of a gap", async () => {
    const onGap = vi.fn();
    renderHook(() => useNotifications(soon({ onGap })));
    (await server.established(at(4))).vanish();
    await server.established({ ...at(2, "second"), recovered: false });
    await waitFor(() => expect(onGap).toHaveBeenCalledTimes(1));
    expect(onGap).toHaveBeenCalledWith(at(4), at(2, "second"));
  });
});

describe("useOrganizationEvents", () => {
  test("follows one organization, and then another, without what came before", async () => {
    const { result, rerender } = renderHook(({ org }) => useOrganizationEvents(org, soon()), {
      initialProps: { org: "org-1" },
    });
    const first = await server.established();
    expect(first.path).toBe("/ws/events/org-1/");
    first.send({ type: "event", event_type: "joined", data: { name: "Bob" }, ...at(1) });
    const item = { key: at(1).position, offset: 1 };
    const event = { ...item, event_type: "joined", data: { name: "Bob" } };
    await waitFor(() => expect(result.current.events).toEqual([event]));
    rerender({ org: "org-2" });
    expect(await first.closed).toBe(1000);
    const second = await server.established();
    expect(second.path).toBe("/ws/events/org-2/");
    expect(second.query).toEqual({});
    await waitFor(() => expect(result.current.status.state).toBe("open"));
    expect(result.current.events).toEqual([]);
    expect(result.current.arrived).toBe(0);
  });

  test("lists an event that was too large in its place", async () => {
    const { result } = renderHook(() => useOrganizationEvents("org-1", soon()));
    const connection = await server.established();
    connection.omit(1);
    connection.send({ type: "event", event_type: "joined", data: {}, ...at(2) });
    await waitFor(() => expect(result.current.arrived).toBe(2));
    const { events } = result.current;
    expect(events).toMatchObject([{ omitted: { size: 2_000_000 } }, { event_type: "joined" }]);
  });

  test("entries that came just before the change are not shown as the other's", async () => {
    const frames = new Inbox<[string, { type: string }]>();
    const onFrame = (...frame: [string, { type: string }]) => frames.put(frame);
    const { result, rerender } = renderHook(
      ({ org }) => useOrganizationEvents(org, soon({ onFrame })),
      { initialProps: { org: "org-1" } },
    );
    const first = await server.established();
    first.send({ type: "event", event_type: "joined", data: "org-1", ...at(1) });
    await frames.until(([, { type }]) => type === "event");
    rerender({ org: "org-2" });
    const second = await server.established();
    second.send({ type: "event", event_type: "joined", data: "org-2", ...at(1) });
    await waitFor(() => expect(result.current.events).not.toEqual([]));
    expect(result.current.events).toMatchObject([{ data: "org-2" }]);
  });

  test("no rendering shows what belongs to another organization", async () => {
    const shown: [string, unknown[]][] = [];
    const { result, rerender } = renderHook(
      ({ org }) => {
        const stream = useOrganizationEvents(org, soon());
        shown.push([org, stream.events]);
        return stream;
      },
      { initialProps: { org: "org-1" } },
    );
    const connection = await server.established();
    connection.send({ type: "event", event_type: "joined", data: {}, ...at(1) });
    await waitFor(() => expect(result.current.events).toHaveLength(1));
    rerender({ org: "org-2" });
    await server.established();
    await waitFor(() => expect(result.current.status.state).toBe("open"));
    expect(shown.filter(([org, events]) => org === "org-2" && events.length > 0)).toEqual([]);
  });

  test("a token that fails late is no error of the next organization", async () => {
    const asked = new Inbox<(error: Error) => void>();
    const token = (reason: string) =>
      reason === "first"
        ? Promise.resolve("token-1")
        : new Promise<string>((_, reject) => asked.put(reject));
    const { result, rerender } = renderHook(
      ({ org }) => useOrganizationEvents(org, soon({ token })),
      { initialProps: { org: "org-1" } },
    );
    const connection = await server.established();
    await waitFor(() => expect(result.current.status.state).toBe("open"));
    connection.send({ type: "token.expiring", expires_at: "2026-11-24T12:00:00+00:00" });
    const fail = await asked.next();
    rerender({ org: "org-2" });
    const next = await server.established();
    next.send({ type: "event", event_type: "joined", data: {}, ...at(1) });
    await waitFor(() => expect(result.current.events).toHaveLength(1));
    fail(new Error("Too late."));
    next.send({ type: "event", event_type: "joined", data: {}, ...at(2) });
    await waitFor(() => expect(result.current.events).toHaveLength(2));
    expect(result.current.error).toBeNull();
  });

  test("a path in the name of an organization stays a name", async () => {
    renderHook(() => useOrganizationEvents("../notifications", soon()));
    expect((await server.established()).path).toBe("/ws/events/..%2Fnotifications/");
  });
});

describe("who is signed in", () => {
  /** Show whose page it is, and what it lists, in each rendering. */
  function mounted(first: string | null) {
    const shown: [user: string | null, titles: unknown[]][] = [];
    const hook = renderHook(
      ({ user }) => {
        const token = async () => `token-of-${user}`;
        const stream = useNotifications(soon({ user, token }));
        shown.push([user, stream.notifications.map((item) => !item.omitted && item.title)]);
        return stream;
      },
      { initialProps: { user: first }, wrapper: StrictMode },
    );
    return { ...hook, shown };
  }

  test("alice, then bob, in one page: none of alice's notifications under bob's name", async () => {
    const { result, rerender, shown } = mounted("alice");
    const hers = await server.established(at(3, "alice"));
    hers.notify(4, "for alice", "alice");
    await waitFor(() => expect(result.current.notifications).toHaveLength(1));
    hers.notify(5, "for alice too", "alice");
    rerender({ user: "bob" });
    expect(await hers.closed).toBe(1000);
    const his = await server.next();
    expect([his.token, his.query]).toEqual(["token-of-bob", {}]);
    his.establish({ user_id: "bob", ...at(0, "bob") });
    his.notify(1, "for bob", "bob");
    await waitFor(() => expect(result.current.notifications).toHaveLength(1));
    const underBob = shown.filter(([user]) => user === "bob").flatMap(([, titles]) => titles);
    expect(new Set(underBob)).toEqual(new Set(["for bob"]));
  });

  test("nobody: no socket, and it says so; somebody: one", async () => {
    const { result, rerender } = mounted(null);
    expect(result.current.status.state).toBe("stopped");
    await afterAnotherClientCame();
    expect(server.connections.all).toHaveLength(1);
    rerender({ user: "alice" });
    await server.established();
    await waitFor(() => expect(result.current.status.state).toBe("open"));
  });

  test("the page does not say, and the next token is another user's: the list begins anew", async () => {
    const token = provider("alice-1", "bob-1");
    const { result } = renderHook(() => useNotifications(soon({ token })));
    const hers = await server.established();
    hers.notify(1, "for alice");
    await waitFor(() => expect(result.current.notifications).toHaveLength(1));
    hers.refuse(CloseCode.UNAUTHORIZED);
    (await server.next()).establish({ user_id: "bob", ...at(9, "bob"), recovered: false });
    const his = await server.next();
    expect([his.token, his.query]).toEqual(["bob-1", {}]);
    his.establish({ user_id: "bob", ...at(9, "bob") });
    his.notify(10, "for bob", "bob");
    await waitFor(() => expect(result.current.notifications).toMatchObject([{ title: "for bob" }]));
  });

  test("reconnect() asks for a token, and keeps the list", async () => {
    const token = provider("token-1", "token-2");
    const onEstablished = vi.fn();
    const { result } = renderHook(() => useNotifications(soon({ token, onEstablished })));
    const first = await server.established();
    first.notify(1);
    await waitFor(() => expect(result.current.notifications).toHaveLength(1));
    result.current.reconnect();
    const second = await server.established({ ...at(1), recovered: true });
    expect([second.token, second.query]).toEqual(["token-2", { position: at(1).position }]);
    await waitFor(() => expect(onEstablished).toHaveBeenCalledTimes(2));
    expect(result.current.notifications).toHaveLength(1);
  });

  test("enabled: false ends the socket, and shows nothing", async () => {
    const { result, rerender } = renderHook(({ enabled }) => useNotifications(soon({ enabled })), {
      initialProps: { enabled: true },
    });
    const connection = await server.established();
    connection.notify(1);
    await waitFor(() => expect(result.current.notifications).toHaveLength(1));
    rerender({ enabled: false });
    expect(await connection.closed).toBe(1000);
    expect(result.current.notifications).toEqual([]);
  });
});

describe("RealtimeProvider", () => {
  const around =
    (user: string | null, token = provider()) =>
    ({ children }: { children: ReactNode }) =>
      createElement(RealtimeProvider, { ...soon(), token, user, children });

  test("two components share one socket and one token, until both have left", async () => {
    const token = provider("token-1");
    const { result, rerender } = renderHook(
      ({ both }) => [useNotifications(), useNotifications({ enabled: both })],
      { initialProps: { both: true }, wrapper: around("alice", token) },
    );
    const connection = await server.established();
    connection.notify(1);
    await waitFor(() => expect(result.current.map((each) => each.arrived)).toEqual([1, 1]));
    expect(result.current[0]!.notifications).toBe(result.current[1]!.notifications);
    rerender({ both: false });
    connection.notify(2);
    await waitFor(() => expect(result.current[0]!.arrived).toBe(2));
    expect(token).toHaveBeenCalledTimes(1);
    await afterAnotherClientCame();
    expect(server.connections.all).toHaveLength(2);
  });

  test("nobody is signed in: no socket", async () => {
    const { result } = renderHook(() => useNotifications(), { wrapper: around(null) });
    await afterAnotherClientCame();
    expect(result.current.status.state).toBe("stopped");
    expect(server.connections.all).toHaveLength(1);
  });

  test("no token: the cookie says who the user is, with a provider and without one", async () => {
    const { token: _, ...options } = soon();
    const wrapper = ({ children }: { children: ReactNode }) =>
      createElement(RealtimeProvider, { ...options, user: "alice", children });
    for (const { unmount } of [
      renderHook(() => useNotifications(options)),
      renderHook(() => useNotifications(), { wrapper }),
    ]) {
      expect((await server.established()).token).toBe("");
      unmount();
    }
  });
});

test("the data of an event has the type that its name says", () => {
  type Events = { "member.joined": { name: string }; "member.left": null };
  const words = (item: EventItem<Events>): string =>
    item.event_type === "member.joined" ? item.data.name : "left";
  const item = { key: "1", offset: 1 };
  expect(words({ event_type: "member.joined", data: { name: "Bob" }, ...item })).toBe("Bob");
});
