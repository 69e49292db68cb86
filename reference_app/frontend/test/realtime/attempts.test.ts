import { expect, test, vi } from "vitest";

import { FakeWebSocket, opened, useFakeWebSocket } from "../fakeWebSocket";
import { Peer } from "../hostile";

useFakeWebSocket();

/** Let the browser say whether there is a network. */
function network(isThere: boolean): void {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(isThere);
  window.dispatchEvent(new Event(isThere ? "online" : "offline"));
}

test("offline for long: seldom an attempt; online, one at once, and the waits begin anew", async () => {
  const client = await opened();
  network(false);
  for (const _ of Array(8)) {
    FakeWebSocket.latest.fail();
    expect(client.status.state).toBe("offline");
    await vi.advanceTimersByTimeAsync(15_000); // half of the longest window
  }
  FakeWebSocket.latest.fail();
  network(true);
  await vi.advanceTimersByTimeAsync(251);
  expect(FakeWebSocket.all).toHaveLength(10);
  FakeWebSocket.latest.fail();
  expect(client.status).toMatchObject({ retryAt: Date.now() + 500 });
  client.close();
});

test("clients that come online together come at different times", async () => {
  const client = await opened();
  network(false);
  FakeWebSocket.latest.fail();
  const timers = vi.spyOn(globalThis, "setTimeout");
  network(true);
  expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([250]);
  client.close();
});

test("a token that never comes is waited for no longer than a socket", async () => {
  const token = vi.fn(() => new Promise<string>(() => {}));
  const client = await opened({ token });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(client.status).toMatchObject({ code: 4104, sentence: "The token took too long." });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(token).toHaveBeenCalledTimes(2);
  client.close();
});

test("offline and online while it waits: one attempt, not two", async () => {
  const client = await opened();
  FakeWebSocket.latest.fail();
  network(false);
  network(true);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(251);
  FakeWebSocket.latest.open();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(FakeWebSocket.all).toHaveLength(2);
  client.close();
});

test("open() twice: one socket", async () => {
  const client = await opened();
  client.open();
  await vi.advanceTimersByTimeAsync(1);
  expect(FakeWebSocket.all).toHaveLength(1);
  client.close();
});

test("closed and opened again: the wait begins anew", async () => {
  const client = await opened();
  FakeWebSocket.latest.fail();
  client.close();
  client.open();
  await vi.advanceTimersByTimeAsync(1);
  FakeWebSocket.latest.fail();
  expect(client.status).toMatchObject({ retryAt: Date.now() + 500 });
  client.close();
});

test("what is said to a socket that is closing is not said to the next", async () => {
  const client = await opened({ heartbeat: { intervalMs: 100, timeoutMs: 100 } });
  const first = FakeWebSocket.latest;
  first.open();
  first.readyState = 2; // closing
  await vi.advanceTimersByTimeAsync(200); // a ping, and no answer
  await vi.advanceTimersByTimeAsync(501);
  expect(FakeWebSocket.latest).not.toBe(first);
  FakeWebSocket.latest.open();
  expect([first.sent, FakeWebSocket.latest.sent]).toEqual([[], []]);
  client.close();
});

test("a token that never comes leaves no timer behind after close()", async () => {
  const client = await opened({ token: () => new Promise(() => {}) });
  client.reconnect();
  await vi.advanceTimersByTimeAsync(1);
  client.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("nor does one that was asked for on an open socket, and on the next one again", async () => {
  const client = await opened({
    token: (reason) => (reason === "first" ? Promise.resolve("token") : new Promise(() => {})),
  });
  FakeWebSocket.latest.open();
  const peer = new Peer(FakeWebSocket.latest);
  peer.greet();
  peer.send({ type: "token.expiring", expires_at: "" });
  FakeWebSocket.latest.fail(4001);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(client.status.state).toBe("connecting");
  client.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("a token that comes after its socket was lost takes no time from the next one", async () => {
  const answers: ((token: string) => void)[] = [];
  const client = await opened({
    token: (reason) =>
      reason === "first"
        ? Promise.resolve("token")
        : new Promise((resolve) => answers.push(resolve)),
  });
  FakeWebSocket.latest.open();
  const peer = new Peer(FakeWebSocket.latest);
  peer.greet();
  peer.send({ type: "token.expiring", expires_at: "" });
  FakeWebSocket.latest.fail(4001);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(answers).toHaveLength(2);
  answers[0]!("late");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(client.status).toMatchObject({ sentence: "The token took too long." });
  client.close();
});
