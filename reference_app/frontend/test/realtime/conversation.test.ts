import { afterEach, expect, test, vi } from "vitest";

import type { ClientOptions, RealtimeClient } from "../../src/realtime";
import { FakeWebSocket, opened, useFakeWebSocket } from "../fakeWebSocket";
import { Peer } from "../hostile";
import { at } from "../server";

useFakeWebSocket();

let client: RealtimeClient;
let errors: string[];
let told: string[];
let gaps: number;

afterEach(() => client.close());

/** Open a client, note what it tells, and return the server's end of its socket. */
async function start(options: Partial<ClientOptions> = {}): Promise<Peer> {
  client = await opened(options);
  [errors, told, gaps] = [[], [], 0];
  client.on("error", ({ message }) => errors.push(message));
  client.on("notification", (_, key) => told.push(key));
  client.on("gap", () => (gaps += 1));
  return socket();
}

function socket(): Peer {
  FakeWebSocket.latest.open();
  return new Peer(FakeWebSocket.latest);
}

/** Lose the socket, and return the server's end of the next one. */
async function again(): Promise<Peer> {
  const count = FakeWebSocket.all.length;
  FakeWebSocket.latest.fail();
  while (FakeWebSocket.all.length === count) await vi.advanceTimersByTimeAsync(100);
  return socket();
}

test("an entry before the greeting is an error with a name", async () => {
  (await start()).entry(1);
  expect(errors).toEqual(["The server sent an entry before it greeted."]);
});

test("an entry without a place is one too", async () => {
  const peer = await start();
  peer.greet();
  peer.entry(1, { position: undefined });
  expect(errors).toEqual(["The server sent an entry without a place."]);
});

test("what is no frame is an error, and the connection goes on", async () => {
  const peer = await start();
  peer.greet();
  peer.send("}{");
  peer.entry(1);
  expect(errors).toEqual(["The server sent what is no frame."]);
  expect(told).toHaveLength(1);
});

test("the same place, and the server says that it has not recovered: a gap", async () => {
  (await start()).greet(at(3));
  (await again()).greet({ ...at(3), recovered: false });
  expect(gaps).toBe(1);
});

test("a server that says that it closes, and does not, is left after three seconds", async () => {
  const peer = await start();
  peer.greet();
  peer.send({ type: "connection.closing", code: 4003, reason: "No.", reconnect: false });
  await vi.advanceTimersByTimeAsync(2_999);
  expect(client.status.state).toBe("open");
  await vi.advanceTimersByTimeAsync(1);
  expect(client.status).toMatchObject({ state: "stopped", code: 4003, sentence: "No." });
});

test("the last frame of one socket says nothing of the next one", async () => {
  const peer = await start();
  peer.greet();
  peer.refuse({ code: 4104 });
  await vi.advanceTimersByTimeAsync(5_000);
  socket().greet({ ...at(0), recovered: true });
  FakeWebSocket.latest.fail();
  expect(client.status).toMatchObject({ state: "waiting", code: 1006 });
});

test("a server that sends and answers no ping lives", async () => {
  const peer = await start();
  peer.socket.answer = () => {};
  peer.greet();
  for (let offset = 1; offset <= 10; offset++) {
    await vi.advanceTimersByTimeAsync(9_000);
    peer.entry(offset);
  }
  expect(client.status.state).toBe("open");
});

test("only a refused token is replaced by another one", async () => {
  const token = vi.fn(async () => "token");
  const peer = await start({ token });
  peer.greet();
  peer.send({ type: "token.expiring", expires_at: "" });
  await vi.advanceTimersByTimeAsync(1);
  peer.send({ type: "error", code: "malformed", message: "No." });
  await vi.advanceTimersByTimeAsync(1);
  expect(token).toHaveBeenCalledTimes(2);
  peer.send({ type: "error", code: "token_refused", message: "No." });
  await vi.advanceTimersByTimeAsync(1);
  expect(token).toHaveBeenCalledTimes(3);
});

test("a server that went back repeats nothing of the last 1,000 entries", async () => {
  const peer = await start();
  peer.greet();
  for (let offset = 1; offset <= 1_001; offset++) peer.entry(offset);
  const back = await again();
  back.greet({ ...at(1), recovered: false });
  for (let offset = 2; offset <= 1_002; offset++) back.entry(offset);
  expect(told.slice(1_001)).toEqual([at(1_002).position]);
  // What is older than that is not remembered.
  const further = await again();
  further.greet({ ...at(0), recovered: false });
  further.entry(1);
  expect(told.at(-1)).toBe(at(1).position);
});

test("another user's entries are not taken for those of the one before", async () => {
  const peer = await start();
  peer.greet();
  peer.entries(1);
  (await again()).greet({ user_id: "bob" });
  await vi.advanceTimersByTimeAsync(1_000);
  const bobs = socket();
  bobs.greet({ user_id: "bob" });
  bobs.entries(1);
  expect(told).toHaveLength(2);
});
