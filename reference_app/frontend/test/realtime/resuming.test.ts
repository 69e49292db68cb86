import { describe, expect, test, vi } from "vitest";

import { Position, socketUrl } from "../../src/realtime/position";
import { open, server, useServer } from "../client";
import { at } from "../server";

useServer();

const soon = { backoff: { baseMs: 1 } };

test("first connection: it names no place", async () => {
  open();
  expect((await server.established()).query).toEqual({});
});

test("connection lost: it goes on after the last entry that it saw", async () => {
  const watched = open(soon);
  const entries = watched.inbox("notification");
  const first = await server.established(at(40));
  first.notify(41);
  first.notify(42);
  await entries.next();
  await entries.next();
  first.vanish();
  const second = await server.next();
  expect(second.query).toEqual({ position: "first/42" });
  second.establish({ ...at(42), recovered: true });
  second.vanish();
  expect((await server.next()).query).toEqual({ position: "first/42" });
});

test("a position is any text: the address carries it percent-encoded", () => {
  const position = "17.k3J9xZ_a-/+&=#%é ";
  const reader = new Position();
  reader.begin({ offset: 17, position });
  const url = reader.addedTo("ws://host/ws/?lang=de");
  expect(url).toBe("ws://host/ws/?lang=de&position=17.k3J9xZ_a-%2F%2B%26%3D%23%25%C3%A9+");
  expect(new URL(url).searchParams.get("position")).toBe(position);
});

test("a position of today's server is readable in the address", () => {
  const reader = new Position();
  reader.begin({ offset: 17, position: "17.k3J9xZ_a" });
  expect(reader.addedTo("ws://host/")).toBe("ws://host/?position=17.k3J9xZ_a");
});

test.each([
  ["start", { since: "start" }],
  [20, { since: "20" }],
  ["17.k3J9xZ_a", { position: "17.k3J9xZ_a" }],
])(
  "since %j: it asks for that at first, and later goes on from its place",
  async (since, query) => {
    const watched = open({ ...soon, since });
    const entries = watched.inbox("notification");
    const first = await server.established(at(3));
    expect(first.query).toEqual(query);
    first.notify(4);
    await entries.next();
    expect(watched.client.position).toBe(at(4).position);
    first.vanish();
    expect((await server.next()).query).toEqual({ position: at(4).position });
  },
);

test("since a position that the server does not know: it tells of the gap", async () => {
  const watched = open({ since: "17.k3J9xZ_a" });
  const gaps = watched.inbox("gap");
  await server.established({ ...at(30), recovered: false });
  expect(await gaps.next()).toEqual([null, at(30)]);
});

test("other parts of the address stay as they are", async () => {
  open({ ...soon, url: `${server.url}?lang=de#top` });
  (await server.established(at(7))).vanish();
  expect((await server.next()).query).toEqual({ lang: "de", position: "first/7" });
});

test("entries that it saw are told once, in order, each with its key", async () => {
  const watched = open(soon);
  const entries = watched.inbox("notification");
  const first = await server.established();
  for (const offset of [1, 2, 2, 1, 3]) first.notify(offset);
  await entries.until(([frame]) => frame.offset === 3);
  first.vanish();
  const second = await server.established({ ...at(3), recovered: true });
  for (const offset of [2, 3, 4]) second.notify(offset);
  await entries.until(([frame]) => frame.offset === 4);
  expect(entries.all.map(([, key]) => key)).toEqual([1, 2, 3, 4].map((n) => at(n).position));
});

test.each([
  ["higher, as history was pruned", 90],
  ["lower, as a backup was restored", 5],
])("not recovered, and the offset is %s: it tells of the gap, and goes on there", async (_, to) => {
  const watched = open(soon);
  const entries = watched.inbox("notification");
  const gaps = watched.inbox("gap");
  (await server.established(at(40))).vanish();
  const second = await server.established({ ...at(to, "second"), recovered: false });
  second.notify(to + 1, "new", "second");
  expect(await entries.next()).toMatchObject([{ offset: to + 1 }, at(to + 1, "second").position]);
  expect(gaps.all).toEqual([[at(40), at(to, "second")]]);
  second.vanish();
  expect((await server.next()).query).toEqual({ position: at(to + 1, "second").position });
});

test.each([null, true])("recovered is %s: there is no gap", async (recovered) => {
  const watched = open(soon);
  const gaps = watched.inbox("gap");
  (await server.established({ recovered })).notify(1);
  await watched.inbox("notification").next();
  expect(gaps.all).toEqual([]);
});

test("organization events are entries too", async () => {
  const watched = open();
  const events = watched.inbox("event");
  const said = { event_type: "member.joined", data: { name: "Bob" } };
  const frame = { type: "event", ...said, ...at(1) };
  (await server.established()).send(frame);
  expect(await events.next()).toEqual([frame, at(1).position]);
});

describe("an entry that is omitted", () => {
  test("is told in its place, once, and is no gap", async () => {
    const watched = open(soon);
    const told: unknown[] = [];
    watched.client.on("omitted", (frame, key) => told.push([frame.type, frame.size, key]));
    watched.client.on("notification", (frame, key) => told.push([frame.type, key]));
    const gaps = watched.inbox("gap");
    const entries = watched.inbox("notification");
    const connection = await server.established();
    connection.notify(1);
    connection.omit(2, 1_100_000);
    connection.omit(2, 1_100_000);
    connection.notify(3);
    await entries.until(([frame]) => frame.offset === 3);
    expect(told).toEqual([
      ["notification", at(1).position],
      ["entry.omitted", 1_100_000, at(2).position],
      ["notification", at(3).position],
    ]);
    expect(gaps.all).toEqual([]);
  });

  test("is not asked for again", async () => {
    const watched = open(soon);
    const omitted = watched.inbox("omitted");
    const first = await server.established();
    first.omit(1);
    await omitted.next();
    first.vanish();
    const second = await server.next();
    expect(second.query).toEqual({ position: at(1).position });
    second.establish({ ...at(1), recovered: true });
    second.omit(1);
    second.omit(2);
    expect(await omitted.next()).toMatchObject([{ offset: 2 }, at(2).position]);
  });
});

test("a read mark that moved is told, and is no entry", async () => {
  const watched = open(soon);
  const marks = watched.inbox("read");
  const entries = watched.inbox("notification");
  const connection = await server.established(at(2));
  const mark = { type: "notifications.read", offset: 1, unread: 1 };
  connection.send(mark);
  connection.notify(3);
  expect(await marks.next()).toEqual([mark]);
  expect(await entries.next()).toMatchObject([{ offset: 3 }, at(3).position]);
});

test("what is no frame is told as an error, and the socket goes on", async () => {
  const watched = open();
  const errors = watched.inbox("error");
  const entries = watched.inbox("notification");
  const connection = await server.established();
  for (const text of ["{", "null", "7", "[]"]) connection.send(text);
  connection.send({ type: "of.the.future", answer: 42 });
  connection.notify(1);
  await entries.next();
  expect(errors.all).toHaveLength(4);
  expect(watched.client.status.state).toBe("open");
});

test("an address may be a path of the page's server", () => {
  expect(socketUrl("/ws/notifications/")).toBe("ws://localhost:3000/ws/notifications/");
  expect(socketUrl("https://example.com/ws/")).toBe("wss://example.com/ws/");
});

test("a listener that throws costs nobody an entry, and is told to the console", async () => {
  const thrown: (() => void)[] = [];
  vi.stubGlobal("queueMicrotask", (run: () => void) => thrown.push(run));
  const watched = open(soon);
  const fail = vi.fn(() => {
    throw new Error("A mistake of the page.");
  });
  watched.client.on("frame", fail);
  const entries = watched.inbox("notification");
  const connection = await server.established();
  connection.notify(1);
  connection.notify(2);
  const [[one], [two]] = [await entries.next(), await entries.next()];
  vi.unstubAllGlobals();
  expect([one.offset, two.offset]).toEqual([1, 2]);
  expect(thrown).toHaveLength(fail.mock.calls.length);
  expect(thrown[0]).toThrow("A mistake of the page.");
});
