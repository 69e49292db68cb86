import { afterEach, expect, test, vi } from "vitest";

import { CloseCode } from "../../src/realtime";
import { afterAnotherClientCame, open, server, useServer } from "../client";
import { at } from "../server";

useServer();
afterEach(() => vi.restoreAllMocks());

const soon = { backoff: { baseMs: 1 }, onlineJitterMs: 1 };

function goOffline(): void {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
  window.dispatchEvent(new Event("offline"));
}

function goOnline(): void {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(true);
  window.dispatchEvent(new Event("online"));
}

test("opened offline: a server that needs no network is reached", async () => {
  goOffline();
  const watched = open(soon);
  await watched.is("offline");
  await server.established();
  await watched.is("open");
});

test("online again in the middle of an attempt: that one is the only one", async () => {
  goOffline();
  const watched = open(soon);
  const connection = await server.next();
  goOnline();
  expect(watched.client.status.state).toBe("connecting");
  connection.establish();
  await watched.is("open");
  await afterAnotherClientCame();
  expect(server.connections.all).toHaveLength(2);
});

test("lost while offline: a long wait, but no longer than until the network is back", async () => {
  const backoff = { baseMs: 60_000, capMs: 60_000 };
  const watched = open({ random: () => 0.5, onlineJitterMs: 2, backoff });
  const connection = await server.established();
  await watched.is("open");
  goOffline();
  connection.vanish();
  await watched.is("offline");
  goOnline();
  await server.established();
  await watched.is("open");
  const states = watched.statuses.all.map(({ state }) => state);
  expect(states).toEqual(["connecting", "open", "offline", "connecting", "open"]);
});

test("offline with a socket that is dead: asked at once, and soon said", async () => {
  const watched = open({ ...soon, heartbeat: { probeMs: 30 } });
  const connection = await server.established();
  await watched.is("open");
  goOffline();
  expect(await connection.frames.next()).toMatchObject({ type: "ping" });
  await watched.is("offline");
});

test("offline while it waits: the wait is over when the network is back", async () => {
  const backoff = { baseMs: 60_000, capMs: 60_000 };
  const watched = open({ random: () => 0.5, onlineJitterMs: 2, backoff });
  (await server.established()).vanish();
  await watched.is("waiting");
  goOffline();
  await watched.is("offline");
  goOnline();
  await server.established();
  await watched.is("open");
});

test("the server's own time to wait holds, also after offline and online", async () => {
  const watched = open(soon);
  (await server.established()).refuse(CloseCode.RATE_LIMITED, 60_000);
  await watched.is("waiting");
  const timers = vi.spyOn(globalThis, "setTimeout");
  goOffline();
  goOnline();
  const delays = timers.mock.calls.map(([, ms]) => ms ?? 0);
  expect(Math.min(...delays)).toBeGreaterThan(59_000);
});

test("seen again after sleep: a ping at once, and a dead socket is soon given up", async () => {
  const watched = open({ ...soon, heartbeat: { probeMs: 30 } });
  const first = await server.established();
  await watched.is("open");
  const now = Date.now();
  vi.spyOn(Date, "now").mockReturnValue(now + 3_600_000);
  document.dispatchEvent(new Event("visibilitychange"));
  expect(await first.frames.next()).toMatchObject({ type: "ping" });
  expect(await watched.is("waiting")).toMatchObject({ code: 1006 });
  await server.established();
  await watched.is("open");
});

test("server silent for an interval: a ping; an answer keeps the socket", async () => {
  const watched = open({ heartbeat: { intervalMs: 20, timeoutMs: 500 } });
  const connection = await server.established();
  for (const _ of [1, 2]) {
    const { timestamp } = await connection.frames.next();
    expect(timestamp).toBeTypeOf("number");
    connection.send({ type: "pong", timestamp });
  }
  expect(watched.client.status.state).toBe("open");
  expect(server.connections.all).toHaveLength(1);
});

test("server silent for good, though it reads: the client comes again", async () => {
  const watched = open({ ...soon, heartbeat: { intervalMs: 50, timeoutMs: 50 } });
  const silent = await server.established();
  await watched.is("open");
  expect(await watched.is("waiting")).toMatchObject({ code: 1006 });
  const next = await server.next();
  expect(next.query).toEqual({ position: at(0).position });
  expect(await silent.closed).toBe(1000);
});

test("server that accepts and never says a word: the client gives up on it", async () => {
  const watched = open({ ...soon, heartbeat: { intervalMs: 50, timeoutMs: 50 } });
  await server.next();
  await watched.is("waiting");
  await server.established();
  await watched.is("open");
});

test("healthy socket: going offline and online does not end it", async () => {
  const watched = open(soon);
  const connection = await server.established();
  await watched.is("open");
  goOffline();
  goOnline();
  const entries = watched.inbox("notification");
  connection.notify(1);
  await entries.next();
  expect(watched.statuses.all.map(({ state }) => state)).toEqual(["connecting", "open"]);
});

test("online again, perhaps with another address: a ping at once", async () => {
  const watched = open(soon);
  const connection = await server.established();
  await watched.is("open");
  goOnline();
  expect(await connection.frames.next()).toMatchObject({ type: "ping" });
});
