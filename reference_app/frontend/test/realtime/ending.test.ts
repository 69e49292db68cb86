import { describe, expect, test, vi } from "vitest";

import { afterAnotherClientCame, create, open, provider, server, useServer } from "../client";
import { at } from "../server";
import { FakeWebSocket, opened, useFakeWebSocket } from "../fakeWebSocket";
import { Inbox } from "../inbox";

describe("close()", () => {
  useServer();

  test("ends the socket with 1000, and nothing comes back", async () => {
    const watched = open();
    const connection = await server.established();
    await watched.is("open");
    watched.client.close();
    expect(await connection.closed).toBe(1000);
    expect(watched.client.status).toMatchObject({ state: "stopped", code: 1000 });
    await afterAnotherClientCame();
    expect(server.connections.all).toHaveLength(2);
  });

  test("ends a socket that is being opened", async () => {
    const watched = open();
    const connection = await server.next();
    watched.client.close();
    expect([1000, 1006]).toContain(await connection.closed);
    expect(watched.client.status.state).toBe("stopped");
  });

  test("before anything was asked or opened: neither is", async () => {
    const token = provider("token-1");
    const watched = open({ token });
    watched.client.close();
    await afterAnotherClientCame();
    expect(token).not.toHaveBeenCalled();
    expect(server.connections.all).toHaveLength(1);
  });

  test("while the token is asked for: no socket is opened", async () => {
    const asked = new Inbox<(token: string) => void>();
    const watched = open({ token: () => new Promise(asked.put) });
    const give = await asked.next();
    watched.client.close();
    give("too-late");
    await afterAnotherClientCame();
    expect(server.connections.all.map(({ token }) => token)).toEqual(["token-1"]);
  });

  test("while the token is asked for, and opened again: one socket in the end", async () => {
    const asked = new Inbox<(token: string) => void>();
    const watched = open({ token: () => new Promise(asked.put) });
    const first = await asked.next();
    watched.client.close();
    watched.client.open();
    const second = await asked.next();
    first("token-1");
    second("token-2");
    await server.established();
    await watched.is("open");
    await afterAnotherClientCame();
    expect(server.connections.all).toHaveLength(2);
  });

  test("while the token is asked for in vain: it stays closed", async () => {
    const asked = new Inbox<(error: Error) => void>();
    const watched = open({ token: () => new Promise((_, fail) => asked.put(fail)) });
    const fail = await asked.next();
    watched.client.close();
    fail(new Error("Keycloak is out of reach."));
    await afterAnotherClientCame();
    expect(watched.client.status).toMatchObject({ state: "stopped", code: 1000 });
  });

  test("a listener that left hears nothing more", async () => {
    const watched = open();
    const heard: number[] = [];
    const leave = watched.client.on("notification", ({ offset }) => {
      heard.push(offset);
      leave();
    });
    const entries = watched.inbox("notification");
    const connection = await server.established();
    connection.notify(1);
    connection.notify(2);
    await entries.until(([{ offset }]) => offset === 2);
    expect(heard).toEqual([1]);
  });

  test("twice, or before open(): nothing happens", () => {
    const watched = create();
    watched.client.close();
    watched.client.close();
    expect(watched.statuses.all).toEqual([]);
  });

  test("a closed client can be opened again, and resumes", async () => {
    const watched = open();
    const entries = watched.inbox("notification");
    (await server.established()).notify(1);
    await entries.next();
    watched.client.close();
    watched.client.open();
    expect((await server.next()).query).toEqual({ position: at(1).position });
  });

  test("in a listener: what the server sent with it is not told", async () => {
    const watched = open();
    watched.client.on("frame", () => watched.client.close());
    const connection = await server.established();
    await connection.closed;
    expect(watched.statuses.all.map(({ state }) => state)).toEqual(["connecting", "stopped"]);
  });
});

describe("what a closed client leaves behind", () => {
  useFakeWebSocket();

  test("open socket: no timer, no listener", async () => {
    const added = vi.spyOn(window, "addEventListener");
    const client = await opened();
    FakeWebSocket.latest.open();
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    client.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(FakeWebSocket.latest.readyState).toBe(3);
    const signals = added.mock.calls.map(([, , how]) => (how as { signal: AbortSignal }).signal);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
    window.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
    expect(vi.getTimerCount()).toBe(0);
  });

  test("socket that is being opened: no timer", async () => {
    const client = await opened();
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("waiting client: no timer", async () => {
    const client = await opened();
    FakeWebSocket.latest.fail();
    expect(client.status.state).toBe("waiting");
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("handshake that is never answered: given up after its time", async () => {
    const client = await opened();
    await vi.advanceTimersByTimeAsync(9_998);
    expect(client.status.state).toBe("connecting");
    await vi.advanceTimersByTimeAsync(2);
    expect(client.status).toMatchObject({ state: "waiting", code: 1006 });
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
