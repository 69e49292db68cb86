import { expect, test, vi } from "vitest";

import { FakeWebSocket, opened, useFakeWebSocket } from "../fakeWebSocket";

useFakeWebSocket();

/** Let the browser say whether there is a network. */
function network(isThere: boolean): void {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(isThere);
  window.dispatchEvent(new Event(isThere ? "online" : "offline"));
}

test("offline for a minute: no attempt in that time", async () => {
  const client = await opened();
  FakeWebSocket.latest.fail();
  network(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeWebSocket.all).toHaveLength(1);
  expect(client.status.state).toBe("offline");
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
