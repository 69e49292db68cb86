import { expect, test, vi } from "vitest";

import { socketUrl } from "../../src/realtime/position";
import { open, server, useServer } from "../client";

useServer();

const soon = { backoff: { baseMs: 1 } };

test("first connection: it names no place", async () => {
  open();
  expect((await server.established()).query).toEqual({});
});

test("connection lost: it goes on after the last entry that it saw", async () => {
  const watched = open(soon);
  const entries = watched.inbox("notification");
  const first = await server.established({ epoch: "e1", offset: 40 });
  first.notify(41);
  first.notify(42);
  await entries.next();
  await entries.next();
  first.vanish();
  const second = await server.next();
  expect(second.query).toEqual({ epoch: "e1", offset: "42" });
  second.establish({ epoch: "e1", offset: 42, recovered: true });
  second.vanish();
  expect((await server.next()).query).toEqual({ epoch: "e1", offset: "42" });
});

test("other parts of the address stay as they are", async () => {
  open({ ...soon, url: `${server.url}?lang=de#top` });
  (await server.established({ offset: 7 })).vanish();
  expect((await server.next()).query).toEqual({ lang: "de", epoch: "e1", offset: "7" });
});

test("entries that it saw are told once, in order, each with its key", async () => {
  const watched = open(soon);
  const entries = watched.inbox("notification");
  const first = await server.established();
  for (const offset of [1, 2, 2, 1, 3]) first.notify(offset);
  await entries.until(([frame]) => frame.offset === 3);
  first.vanish();
  const second = await server.established({ offset: 3, recovered: true });
  for (const offset of [2, 3, 4]) second.notify(offset);
  await entries.until(([frame]) => frame.offset === 4);
  expect(entries.all.map(([, key]) => key)).toEqual(["e1:1", "e1:2", "e1:3", "e1:4"]);
});

test("history gone: it tells of the gap, and goes on in the new epoch", async () => {
  const watched = open(soon);
  const entries = watched.inbox("notification");
  const gaps = watched.inbox("gap");
  (await server.established({ epoch: "e1", offset: 40 })).vanish();
  const second = await server.established({ epoch: "e2", offset: 5, recovered: false });
  second.notify(6);
  await entries.next();
  const places = [{ epoch: "e1", offset: 40 }, { epoch: "e2", offset: 5 }];
  expect(gaps.all).toEqual([places]);
  second.vanish();
  expect((await server.next()).query).toEqual({ epoch: "e2", offset: "6" });
});

test.each([null, true])("recovered is %s: there is no gap", async (recovered) => {
  const watched = open(soon);
  const gaps = watched.inbox("gap");
  (await server.established({ recovered })).notify(1);
  await watched.inbox("notification").next();
  expect(gaps.all).toEqual([]);
});

test("organisation events are entries too", async () => {
  const watched = open();
  const events = watched.inbox("event");
  const frame = { type: "event", event_type: "member.joined", data: { name: "Bob" }, offset: 1 };
  (await server.established()).send(frame);
  expect(await events.next()).toEqual([frame, "e1:1"]);
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
