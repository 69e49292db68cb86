import { renderHook, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { expect, test } from "vitest";

import { type StreamOptions, useNotifications, useOrganizationEvents } from "../../src/react";
import { afterAnotherClientCame, server } from "../client";
import { at, type Connection } from "../server";
import { useHooks } from "./rendering";

useHooks();

function mounted(options: Partial<StreamOptions> = {}) {
  const token = async () => "token-1";
  return renderHook(({ user }) => useNotifications({ token, random: () => 0, user, ...options }), {
    initialProps: { user: "alice" },
    wrapper: StrictMode,
  });
}

/** Answer with a mark, which another tab may have moved. */
function tell(connection: Connection, offset: number): void {
  connection.send({ type: "notifications.read", offset, unread: 0 });
}

/** Wait until the page asks for the mark, or moves it, and return its offset. */
async function asked(connection: Connection): Promise<unknown> {
  const isAsking = ({ type }: { type: string }) => type === "notifications.read";
  return (await connection.frames.until(isAsking)).offset;
}

test("a page that is loaded shows how many are unread, with the history or without it", async () => {
  const { result } = mounted({ since: 2 });
  expect([result.current.read, result.current.unread]).toEqual([null, null]);
  const connection = await server.established(at(5));
  expect(connection.query).toEqual({ since: "2" });
  expect(await asked(connection)).toBe(0);
  expect(result.current.unread).toBeNull();
  tell(connection, 3);
  await waitFor(() => expect(result.current.unread).toBe(2));
  connection.notify(6);
  connection.notify(7);
  await waitFor(() => expect(result.current.unread).toBe(4));
  const { notifications, read } = result.current;
  expect(notifications.map(({ offset }) => offset > read!)).toEqual([true, true]);
});

test("a mark that comes late counts nothing twice, and leaves nothing out", async () => {
  const { result } = mounted();
  const connection = await server.established(at(5));
  connection.notify(6);
  tell(connection, 5);
  connection.notify(7);
  await waitFor(() => expect(result.current.arrived).toBe(2));
  expect(result.current.unread).toBe(2);
});

test("what was too large to be sent is unread too", async () => {
  const { result } = mounted();
  const connection = await server.established();
  tell(connection, 0);
  connection.omit(1);
  await waitFor(() => expect(result.current.unread).toBe(1));
  expect(result.current.notifications).toMatchObject([{ offset: 1, omitted: { offset: 1 } }]);
});

test("the page marks one item, and then all, and is told by the server", async () => {
  const { result } = mounted();
  const connection = await server.established();
  expect(await asked(connection)).toBe(0);
  for (const offset of [1, 2, 3]) connection.notify(offset);
  await waitFor(() => expect(result.current.notifications).toHaveLength(3));
  result.current.markAsRead(result.current.notifications[1]!.offset);
  expect(await asked(connection)).toBe(2);
  expect(result.current.read).toBeNull();
  tell(connection, 2);
  await waitFor(() => expect(result.current.unread).toBe(1));
  result.current.markAsRead();
  expect(await asked(connection)).toBe(3);
  tell(connection, 3);
  await waitFor(() => expect(result.current.unread).toBe(0));
});

test("another tab moves the mark, and an answer that was overtaken does not move it back", async () => {
  const { result } = mounted();
  const connection = await server.established(at(9));
  tell(connection, 7);
  tell(connection, 4);
  connection.notify(10);
  await waitFor(() => expect(result.current.arrived).toBe(1));
  expect([result.current.read, result.current.unread]).toEqual([7, 3]);
});

test("after a lost connection the mark of another device is there", async () => {
  const { result } = mounted();
  const first = await server.established(at(9));
  tell(first, 4);
  await waitFor(() => expect(result.current.unread).toBe(5));
  first.vanish();
  const second = await server.established({ ...at(9), recovered: true });
  expect(await asked(second)).toBe(0);
  expect(result.current.unread).toBe(5);
  tell(second, 9);
  await waitFor(() => expect(result.current.unread).toBe(0));
});

test("a database that went back has an earlier mark", async () => {
  const { result } = mounted();
  const first = await server.established(at(9));
  tell(first, 9);
  await waitFor(() => expect(result.current.unread).toBe(0));
  first.vanish();
  const second = await server.established({ ...at(4, "second"), recovered: false });
  await waitFor(() => expect(result.current.read).toBeNull());
  tell(second, 2);
  await waitFor(() => expect(result.current.unread).toBe(2));
});

test("another user has a mark of their own", async () => {
  const { result, rerender } = mounted();
  const hers = await server.established(at(9));
  tell(hers, 5);
  await waitFor(() => expect(result.current.unread).toBe(4));
  rerender({ user: "bob" });
  expect(result.current.unread).toBeNull();
  const his = await server.established({ user_id: "bob", ...at(2, "bob") });
  expect(await asked(his)).toBe(0);
  tell(his, 1);
  await waitFor(() => expect(result.current.unread).toBe(1));
});

test("the page does not say, and the next token is another user's: the mark is unknown", async () => {
  const { result } = mounted();
  const hers = await server.established(at(9));
  tell(hers, 5);
  await waitFor(() => expect(result.current.unread).toBe(4));
  hers.vanish();
  (await server.next()).establish({ user_id: "bob", ...at(2, "bob"), recovered: false });
  await waitFor(() => expect(result.current.read).toBeNull());
  expect(await asked(await server.established({ user_id: "bob", ...at(2, "bob") }))).toBe(0);
});

test("a page of events asks only once it marks something", async () => {
  const { result } = renderHook(() => {
    const token = async () => "token-1";
    return useOrganizationEvents("org-1", { token, random: () => 0 });
  });
  const connection = await server.established(at(3));
  await waitFor(() => expect(result.current.status.state).toBe("open"));
  await afterAnotherClientCame();
  expect(connection.frames.all).toEqual([]);
  result.current.markAsRead();
  expect(await asked(connection)).toBe(3);
});

test("a mark that is told again and again costs no rendering", async () => {
  let renderings = 0;
  const { result } = renderHook(() => {
    renderings += 1;
    return useNotifications({ token: async () => "token-1", random: () => 0 });
  });
  const connection = await server.established(at(9));
  tell(connection, 5);
  await waitFor(() => expect(result.current.unread).toBe(4));
  const before = renderings;
  for (let n = 0; n < 100; n++) tell(connection, 5);
  connection.notify(10);
  await waitFor(() => expect(result.current.unread).toBe(5));
  expect(renderings - before).toBeLessThan(5);
});
