import { expect, test, vi } from "vitest";

import { FakeWebSocket, opened, useFakeWebSocket } from "../fakeWebSocket";
import { Peer } from "../hostile";
import { at } from "../server";

useFakeWebSocket();

/** Open a client, and the server's end of its first socket. */
async function start() {
  const client = await opened();
  const errors: Error[] = [];
  client.on("error", (error) => errors.push(error as Error));
  FakeWebSocket.latest.open();
  return { client, errors, peer: new Peer(FakeWebSocket.latest) };
}

test.each([
  [{ offset: "9" }, "The server greeted without an offset or position."],
  [{ position: "" }, "The server greeted without an offset or position."],
  [{ recovered: undefined }, "The server greeted without saying whether it has recovered."],
  [{ user_id: 7 }, "The server greeted without a user."],
  [{ user_id: "" }, "The server greeted without a user."],
])("a greeting with %j is an error with a name", async (part, sentence) => {
  const { client, errors, peer } = await start();
  peer.greet(part);
  expect(errors).toMatchObject([{ name: "ProtocolError", message: sentence }]);
  expect(client.status).toMatchObject({ state: "waiting", name: "PROTOCOL_ERROR", sentence });
  client.close();
});

test("a second greeting is one", async () => {
  const { client, errors, peer } = await start();
  peer.greet();
  peer.greet();
  expect(errors).toMatchObject([{ name: "ProtocolError", message: "The server greeted twice." }]);
  client.close();
});

test("an entry that is left out: a gap is told, and the client resumes before it", async () => {
  const { client, errors, peer } = await start();
  const gaps: unknown[] = [];
  const entries: number[] = [];
  client.on("gap", (...places) => gaps.push(places));
  client.on("notification", ({ offset }) => entries.push(offset));
  peer.greet();
  peer.entries(1, 5);
  expect(gaps).toEqual([[at(1), at(5)]]);
  expect(errors).toMatchObject([{ message: "The server left out an entry." }]);
  await vi.advanceTimersByTimeAsync(1_000);
  FakeWebSocket.latest.open();
  const again = new Peer(FakeWebSocket.latest);
  again.greet({ ...at(1), recovered: true });
  again.entries(2, 3, 4, 5);
  expect(entries).toEqual([1, 2, 3, 4, 5]);
  expect(gaps).toHaveLength(1);
  client.close();
});

test("no greeting in time: the client says so, and comes back", async () => {
  const { client } = await start();
  await vi.advanceTimersByTimeAsync(9_999);
  expect(client.status.state).toBe("connecting");
  await vi.advanceTimersByTimeAsync(1);
  const sentence = "The server took the connection and did not greet.";
  expect(client.status).toMatchObject({ state: "waiting", sentence });
  client.close();
});

test("not connected twice: the second time it says what to check", async () => {
  const client = await opened();
  FakeWebSocket.latest.fail();
  expect(client.status).toMatchObject({ sentence: "Could not connect." });
  await vi.advanceTimersByTimeAsync(1_000);
  FakeWebSocket.latest.fail();
  expect(client.status).toMatchObject({ sentence: expect.stringContaining("Check the address") });
  client.close();
});

test("somebody else is greeted: no entry of theirs on this socket, and a new one from now", async () => {
  const { client, peer } = await start();
  const told: unknown[] = [];
  client.on("user", (...ids) => told.push(ids));
  client.on("notification", ({ offset }) => told.push(offset));
  client.on("gap", () => told.push("gap"));
  peer.greet(at(7));
  peer.entries(8);
  peer.socket.fail();
  await vi.advanceTimersByTimeAsync(1_000);
  FakeWebSocket.latest.open();
  const bobs = new Peer(FakeWebSocket.latest);
  bobs.greet({ user_id: "bob", ...at(3, "bob"), recovered: false });
  bobs.entry(4, at(4, "bob"));
  expect(told).toEqual([8, ["bob", "alice"]]);
  await vi.advanceTimersByTimeAsync(1);
  expect(FakeWebSocket.all).toHaveLength(3);
  FakeWebSocket.latest.open();
  const next = new Peer(FakeWebSocket.latest);
  next.greet({ user_id: "bob", ...at(4, "bob") });
  next.entry(5, at(5, "bob"));
  expect(told).toEqual([8, ["bob", "alice"], 5]);
  client.close();
});
