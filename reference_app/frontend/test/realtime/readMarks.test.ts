import { describe, expect, test, vi } from "vitest";

import type { RealtimeClient } from "../../src/realtime";
import { FakeWebSocket, opened, useFakeWebSocket } from "../fakeWebSocket";
import { Peer } from "../hostile";
import { at } from "../server";

useFakeWebSocket();

/** Open a client whose sockets are greeted in turn, the last way for all that follow. */
async function greeted(...greetings: object[]): Promise<RealtimeClient> {
  FakeWebSocket.serve = (socket) => {
    socket.open();
    const peer = new Peer(socket);
    peer.greet(greetings[Math.min(FakeWebSocket.all.length, greetings.length) - 1]);
  };
  const client = await opened();
  return client;
}

/** The offsets of the marks that were sent on a socket. */
function marks(socket = FakeWebSocket.latest): unknown[] {
  const sent = socket.sent.map((text) => JSON.parse(text));
  return sent.filter(({ type }) => type === "notifications.read").map(({ offset }) => offset);
}

/** Lose the socket, and wait for the next one. */
async function again(): Promise<void> {
  const count = FakeWebSocket.all.length;
  FakeWebSocket.latest.fail();
  while (FakeWebSocket.all.length === count) await vi.advanceTimersByTimeAsync(100);
  await vi.advanceTimersByTimeAsync(10);
}

describe("a read mark", () => {
  test("is not asked for by a page that has no use for it", async () => {
    await greeted(at(7));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(marks()).toEqual([]);
  });

  test("is asked for on each socket, once the server has greeted", async () => {
    const client = await opened();
    client.markAsRead(0);
    FakeWebSocket.latest.open();
    await vi.advanceTimersByTimeAsync(100);
    expect(marks()).toEqual([]);
    new Peer(FakeWebSocket.latest).greet(at(7));
    await vi.advanceTimersByTimeAsync(100);
    expect(marks()).toEqual([0]);
    FakeWebSocket.serve = (socket) => {
      socket.open();
      new Peer(socket).greet({ ...at(7), recovered: true });
    };
    await again();
    expect(marks()).toEqual([0]);
  });

  test("that was moved without a socket is sent on the next one", async () => {
    const client = await greeted(at(7), { ...at(7), recovered: true });
    FakeWebSocket.latest.fail();
    client.markAsRead(6);
    await vi.advanceTimersByTimeAsync(10);
    expect(marks()).toEqual([]);
    await again();
    expect(marks()).toEqual([6]);
  });

  test("never moves beyond what the page was told", async () => {
    const client = await greeted(at(7));
    client.markAsRead(10 ** 9);
    new Peer(FakeWebSocket.latest).entries(8);
    await vi.advanceTimersByTimeAsync(10);
    expect(marks()).toEqual([7]);
    expect(client.offset).toBe(8);
  });

  test("never moves back, and is a number whatever the page gives", async () => {
    const client = await greeted(at(7));
    for (const offset of [5, 3, NaN, -1]) client.markAsRead(offset);
    await vi.advanceTimersByTimeAsync(10);
    expect(marks()).toEqual([5]);
  });

  test("that a page moves 1,000 times is sent a few times, and the last one is", async () => {
    const client = await greeted(at(1_000));
    for (let offset = 1; offset <= 1_000; offset++) {
      client.markAsRead(offset);
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(10_000);
    expect(marks().length).toBeLessThan(10);
    expect(marks().slice(0, 2)).toEqual([1, 2]);
    expect(marks().at(-1)).toBe(1_000);
  });

  test("of another history is nothing that this one has", async () => {
    const client = await greeted(at(7), { ...at(9, "second"), recovered: false });
    client.markAsRead(7);
    await again();
    expect(marks()).toEqual([0]);
  });

  test("of one user is not sent for another one", async () => {
    const bob = { user_id: "bob", ...at(9, "bob") };
    const client = await greeted(at(7), bob);
    client.markAsRead(7);
    await again();
    expect(FakeWebSocket.all.map((socket) => marks(socket))).toEqual([[], [], [0]]);
  });

  test("leaves no timer behind", async () => {
    const client = await greeted(at(7));
    for (const offset of [1, 2, 3, 4, 5, 6]) {
      client.markAsRead(offset);
      await vi.advanceTimersByTimeAsync(1);
    }
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([undefined, null, "7", 1.5, -1, 2 ** 53])("at %j is an error", async (offset) => {
    const client = await greeted(at(7));
    const told: unknown[] = [];
    client.on("read", (frame) => told.push(frame));
    const errors: string[] = [];
    client.on("error", ({ message }) => errors.push(message));
    new Peer(FakeWebSocket.latest).send({ type: "notifications.read", offset, unread: 0 });
    expect(told).toEqual([]);
    expect(errors).toEqual(["The server sent a read mark without an offset."]);
    expect(client.status).toMatchObject({ state: "waiting", name: "PROTOCOL_ERROR" });
  });
});
