import { afterEach, describe, expect, test, vi } from "vitest";

import { CloseCode, SignInRequiredError } from "../../src/realtime";
import { afterAnotherClientCame, open, provider, server, useServer } from "../client";

useServer();
afterEach(() => vi.restoreAllMocks());

const { UNAUTHORIZED, UNAVAILABLE } = CloseCode;
const soon = { backoff: { baseMs: 1 } };

describe("the token of a connection", () => {
  test("is asked for once, and serves every later connection", async () => {
    const token = provider("token-1", "token-2");
    open({ ...soon, token });
    for (const _ of [1, 2, 3]) {
      const connection = await server.established();
      expect(connection.token).toBe("token-1");
      connection.vanish();
    }
    expect(token.mock.calls).toEqual([["first"]]);
  });

  test("is replaced once where the server refuses it", async () => {
    const token = provider("token-1", "token-2");
    const watched = open({ ...soon, token });
    (await server.next()).refuse(UNAUTHORIZED);
    expect((await server.established()).token).toBe("token-2");
    await watched.is("open");
    expect(token.mock.calls).toEqual([["first"], ["rejected"]]);
  });

  test("refused twice in a row: the user has to sign in", async () => {
    const token = provider("token-1", "token-2", "token-3");
    const watched = open({ ...soon, token });
    (await server.next()).refuse(UNAUTHORIZED);
    (await server.next()).vanish(); // a lost connection between the two changes nothing
    (await server.next()).refuse(UNAUTHORIZED);
    const status = await watched.is("stopped");
    expect(status).toMatchObject({ code: 4001, name: "UNAUTHORIZED", needsSignIn: true });
    expect(token.mock.calls).toEqual([["first"], ["rejected"]]);
    await afterAnotherClientCame();
    expect(server.connections.all).toHaveLength(4);
  });

  test("grown old in an outage is replaced, though the one before was refused", async () => {
    const token = provider("token-1", "token-2", "token-3");
    open({ ...soon, token });
    (await server.next()).refuse(UNAUTHORIZED);
    (await server.next()).refuse(UNAVAILABLE, 1);
    const last = await server.next();
    expect(last.token).toBe("token-2");
    const now = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(now + 300_000);
    last.refuse(UNAUTHORIZED);
    expect((await server.established()).token).toBe("token-3");
  });

  test("refused twice, and the client is opened again: the count begins anew", async () => {
    const token = provider("token-1", "token-2", "token-3", "token-4");
    const watched = open({ ...soon, token });
    (await server.next()).refuse(UNAUTHORIZED);
    (await server.next()).refuse(UNAUTHORIZED);
    await watched.is("stopped");
    watched.client.open();
    const third = await server.next();
    expect(third.token).toBe("token-3");
    third.refuse(UNAUTHORIZED);
    expect((await server.established()).token).toBe("token-4");
  });

  test("is replaced each time that it expires on an open socket", async () => {
    const token = provider("token-1", "token-2", "token-3");
    const watched = open({ ...soon, token });
    for (const _ of [1, 2]) {
      const connection = await server.established();
      await watched.is("open");
      const now = Date.now();
      vi.spyOn(Date, "now").mockReturnValue(now + 11_000);
      connection.refuse(UNAUTHORIZED);
    }
    expect((await server.established()).token).toBe("token-3");
    expect(token.mock.calls).toEqual([["first"], ["rejected"], ["rejected"]]);
  });

  test("refused twice within seconds, though it was let in between: the user has to sign in", async () => {
    const watched = open({ ...soon, token: provider("token-1", "token-2", "token-3") });
    (await server.established()).refuse(UNAUTHORIZED);
    (await server.established()).refuse(UNAUTHORIZED);
    expect(await watched.is("stopped")).toMatchObject({ code: 4001, needsSignIn: true });
  });

  test("is asked for anew by reconnect(), on a socket in place of the old one", async () => {
    const watched = open({ ...soon, token: provider("alice-1", "bob-1") });
    const first = await server.established();
    await watched.is("open");
    watched.client.reconnect();
    expect(await first.closed).toBe(1000);
    expect((await server.next()).token).toBe("bob-1");
  });

  test("cannot be had now: the client tells, waits and asks again", async () => {
    const token = provider(new Error("Keycloak is out of reach."), "token-2");
    const watched = open({ ...soon, token });
    const errors = watched.inbox("error");
    const status = await watched.is("waiting");
    expect(status).toMatchObject({ code: 4104, sentence: "Keycloak is out of reach." });
    expect((await server.established()).token).toBe("token-2");
    expect(await errors.next()).toEqual([new Error("Keycloak is out of reach.")]);
    expect(token.mock.calls).toEqual([["first"], ["first"]]);
  });

  test("cannot be had without the user: the client stops", async () => {
    const watched = open({ token: provider(new SignInRequiredError("Your session has ended.")) });
    const status = await watched.is("stopped");
    expect(status).toMatchObject({ needsSignIn: true, sentence: "Your session has ended." });
    await afterAnotherClientCame();
    expect(server.connections.all).toHaveLength(1);
  });
});

describe("a token that expires while the socket is open", () => {
  const expiring = { type: "token.expiring", expires_at: "2026-11-24T12:00:00+00:00" };
  const refused = { type: "error", code: "token_refused", message: "The token has expired." };

  test("is replaced on the same socket, and serves the next", async () => {
    const token = provider("token-1", "token-2");
    open({ ...soon, token });
    const connection = await server.established();
    connection.send(expiring);
    expect(await connection.frames.next()).toEqual({ type: "token.refresh", token: "token-2" });
    connection.send({ type: "token.refreshed", expires_at: "2026-11-24T13:00:00+00:00" });
    connection.vanish();
    expect((await server.established()).token).toBe("token-2");
    expect(token.mock.calls).toEqual([["first"], ["expiring"]]);
  });

  test("is never shown to those who watch the frames", async () => {
    const watched = open({ token: provider("token-1", "token-2") });
    const frames = watched.inbox("frame");
    (await server.established()).send(expiring);
    const [, shown] = await frames.until(([direction]) => direction === "out");
    expect(shown).toEqual({ type: "token.refresh", token: "…" });
  });

  test("refused: one more is tried, then the server is left to close", async () => {
    const token = provider("token-1", "token-2", "token-3", "token-4");
    const watched = open({ ...soon, token });
    const errors = watched.inbox("error");
    const connection = await server.established();
    connection.send(expiring);
    await connection.frames.next();
    connection.send(refused);
    expect(await connection.frames.next()).toEqual({ type: "token.refresh", token: "token-3" });
    connection.send(refused);
    await errors.next();
    await errors.next();
    expect(token.mock.calls).toEqual([["first"], ["expiring"], ["rejected"]]);
    connection.refuse(UNAUTHORIZED);
    expect((await server.established()).token).toBe("token-4");
  });

  test("provider fails: the socket stays open", async () => {
    const token = provider("token-1", new Error("Keycloak is out of reach."));
    const watched = open({ token });
    const errors = watched.inbox("error");
    const connection = await server.established();
    connection.send(expiring);
    await errors.next();
    const entries = watched.inbox("notification");
    connection.notify(1);
    await entries.next();
    expect(watched.client.status.state).toBe("open");
  });
});

test.each([undefined, "undefined is no token"])(
  "%j for a token: nothing is sent",
  async (given) => {
    const watched = open({ token: async () => given as string, random: () => 0.5 });
    const status = await watched.is("waiting");
    expect(status).toMatchObject({ code: UNAVAILABLE });
    expect(status.sentence).toMatch(/^The page's token provider gave (undefined|a text that is)/);
    await afterAnotherClientCame();
    expect(watched.statuses.all.map(({ state }) => state)).toEqual(["connecting", "waiting"]);
  },
);

test("reconnect() after a refusal asks as for the first time, and may be refused once", async () => {
  const token = provider("token-1", "token-2", "token-3", "token-4");
  const watched = open({ ...soon, token });
  (await server.next()).refuse(UNAUTHORIZED);
  (await server.next()).refuse(UNAUTHORIZED);
  await watched.is("stopped");
  watched.client.reconnect();
  (await server.next()).refuse(UNAUTHORIZED);
  await server.established();
  await watched.is("open");
  expect(token.mock.calls).toEqual([["first"], ["rejected"], ["first"], ["rejected"]]);
});

describe("a client without a token provider", () => {
  test("offers no bearer, because the cookie says who the user is", async () => {
    const watched = open({ token: undefined });
    expect((await server.established()).token).toBe("");
    await watched.is("open");
  });

  test("that is refused twice in a row has to sign in", async () => {
    const watched = open({ token: undefined });
    (await server.next()).refuse(UNAUTHORIZED);
    (await server.next()).refuse(UNAUTHORIZED);
    expect(await watched.is("stopped")).toMatchObject({ needsSignIn: true });
    expect(server.connections.all).toHaveLength(2);
  });
});
