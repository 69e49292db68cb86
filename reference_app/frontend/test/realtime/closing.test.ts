import { beforeEach, describe, expect, test, vi } from "vitest";

import { CloseCode } from "../../src/realtime";
import { afterAnotherClientCame, open, provider, server, useServer } from "../client";
import { seeded } from "../seeded";

const NOW = 1_800_000_000_000;

useServer();
// The clock stands, so that a delay is what the client decided, and not how busy the machine is.
beforeEach(() => {
  vi.spyOn(Date, "now").mockReturnValue(NOW);
});

/** How long the client waits, told by the status that it reports at once. */
async function delayAfter(code: number, options: object, how: "frame" | "code" = "frame") {
  const watched = open(options);
  const reported = new Promise<number>((resolve) => {
    watched.client.on("status", (status) => {
      if (status.state === "waiting") resolve(status.retryAt - NOW);
    });
  });
  const connection = await server.established();
  await watched.is("open");
  if (how === "frame") connection.refuse(code);
  else connection.close(code);
  return reported;
}

describe("codes that stop the client", () => {
  const { FORBIDDEN, TOO_MANY_CONNECTIONS, TOO_MANY_ERRORS } = CloseCode;

  test.each([FORBIDDEN, TOO_MANY_CONNECTIONS, TOO_MANY_ERRORS])("%i: it says why", async (code) => {
    const watched = open();
    (await server.next()).refuse(code);
    const { name, sentence, needsSignIn } = await watched.is("stopped");
    expect(CloseCode[name as keyof typeof CloseCode]).toBe(code);
    expect(sentence).toBe(`The reason for ${code}.`);
    expect(needsSignIn).toBe(false);
    await afterAnotherClientCame();
    expect(server.connections.all).toHaveLength(2);
  });

  test("the code alone is enough, where the last frame got lost", async () => {
    const watched = open();
    (await server.next()).close(FORBIDDEN);
    expect(await watched.is("stopped")).toMatchObject({ sentence: "not a member, or no longer" });
  });

  test("the last frame alone is enough, where the code got lost", async () => {
    const watched = open();
    const connection = await server.next();
    const frames = watched.inbox("frame");
    connection.send({
      type: "connection.closing",
      code: FORBIDDEN,
      reason: "",
      reconnect: false,
      retry_after_ms: null,
    });
    await frames.next();
    connection.vanish();
    expect(await watched.is("stopped")).toMatchObject({ code: FORBIDDEN });
  });

  test("unknown code from 4500 to 4999: it stays away", async () => {
    const watched = open();
    (await server.established()).close(4777);
    expect(await watched.is("stopped")).toMatchObject({ code: 4777, name: "UNKNOWN" });
  });
});

describe("codes after which the client comes back", () => {
  const { INTERNAL_ERROR, RESTART, UNAVAILABLE, TOO_SLOW, RATE_LIMITED } = CloseCode;
  const soon = { random: () => 0, backoff: { baseMs: 10 } };

  test.each([1000, RESTART, TOO_SLOW, 3333, 4321])("%i: with the same token", async (code) => {
    const token = provider("token-1");
    const watched = open({ ...soon, token });
    (await server.established()).close(code);
    expect(await watched.is("waiting")).toMatchObject({ code });
    expect((await server.established()).token).toBe("token-1");
    await watched.is("open");
    expect(token).toHaveBeenCalledTimes(1);
  });

  test("no close frame: it backs off", async () => {
    const watched = open(soon);
    (await server.established()).vanish();
    expect(await watched.is("waiting")).toMatchObject({ code: 1006, name: "ABNORMAL" });
    await server.established();
    await watched.is("open");
  });

  test("refused handshake: it backs off, each time for longer", async () => {
    server.refuseHandshakes(3);
    const watched = open({ random: () => 0.5, backoff: { baseMs: 40 } });
    const delays: number[] = [];
    watched.client.on("status", (status) => {
      if (status.state === "waiting") delays.push(status.retryAt - NOW);
    });
    await server.established();
    await watched.is("open");
    expect(delays).toEqual([20, 40, 80]);
  });

  test.each([
    ["internal error", INTERNAL_ERROR, "code", 1_500],
    ["unavailable", UNAVAILABLE, "frame", 1_500],
    ["rate limited", RATE_LIMITED, "frame", 10_500],
    ["too slow", TOO_SLOW, "frame", 500],
    ["restart", RESTART, "code", 2_500],
    ["restart with a last frame", RESTART, "frame", 2_500],
  ] as const)("%s: it waits as long as it was told, and jitter", async (_, code, how, expected) => {
    const delay = await delayAfter(code, { random: () => 0.5 }, how);
    expect(delay).toBe(expected);
  });

  test("retry_after_ms of the last frame wins over the code's own", async () => {
    const watched = open();
    (await server.established()).refuse(RATE_LIMITED, 60_000);
    const { retryAt } = await watched.is("waiting");
    expect(retryAt - NOW).toBe(60_000);
  });

  test("50 clients of one restart spread over the five seconds", async () => {
    const seeds = Array.from({ length: 50 }, (_, seed) => seed);
    const delays = await Promise.all(
      seeds.map((seed) => delayAfter(RESTART, { random: seeded(seed) }, "code")),
    );
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(2_500);
    expect(Math.max(...delays)).toBeLessThanOrEqual(5_000);
    const thirds = [0, 1, 2].map((n) => delays.filter((d) => Math.floor(d / 1_667) === n).length);
    expect(Math.min(...thirds)).toBeGreaterThan(8);
  });
});

test("the wait begins anew only after a connection that has stood for ten seconds", async () => {
  const watched = open({ random: () => 0.5, backoff: { baseMs: 40 } });
  const delays: number[] = [];
  watched.client.on("status", (status) => {
    if (status.state === "waiting") delays.push(status.retryAt - Date.now());
  });
  (await server.next()).close(4321); // open, but not established
  (await server.established()).close(4321); // established, for a moment
  const connection = await server.established();
  await watched.is("open");
  await watched.is("open");
  vi.spyOn(Date, "now").mockReturnValue(NOW + 10_000);
  connection.close(4321);
  (await server.established()).close(4321);
  await watched.is("open");
  await server.established();
  await watched.is("open");
  expect(delays).toEqual([20, 40, 20, 40]);
});

test("it says that it is closing, and does not close: the client ends the socket", async () => {
  const watched = open();
  const connection = await server.established();
  await watched.is("open");
  connection.send({
    type: "connection.closing",
    code: CloseCode.FORBIDDEN,
    reason: "You are not a member.",
    reconnect: false,
    retry_after_ms: null,
  });
  expect(await watched.is("stopped")).toMatchObject({ sentence: "You are not a member." });
  expect(await connection.closed).toBe(1000);
});
