import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import {
  type ClientOptions,
  RealtimeClient,
  SignInRequiredError,
  type Status,
} from "../../src/realtime";
import { FakeWebSocket, useFakeWebSocket } from "../fakeWebSocket";
import { HANDSHAKES, HOSTILE, type Hostile, Peer } from "../hostile";
import { seeded } from "../seeded";

useFakeWebSocket();

const MINUTE = 60_000;

/** Bounds of what a client may do, whatever a server or a page does. */
const MOST_ATTEMPTS = 12;
const LONGEST_UNEXPLAINED_MS = 20_000;

/** Serve each socket in one way, and open it first. */
function serve(hostile: Hostile): void {
  FakeWebSocket.serve = (socket) => {
    socket.open();
    hostile(new Peer(socket), FakeWebSocket.all.length);
  };
}

/** A client, and all that it has told, each with its time. */
class Seen {
  readonly statuses: [number, Status][] = [];
  readonly told: [kind: "entry" | "gap", offset: number, key: string][] = [];
  readonly errors: string[] = [];
  readonly askedAt: number[] = [];
  readonly attemptedAt: number[] = [];
  readonly client: RealtimeClient;

  constructor(
    options: Partial<ClientOptions> = {},
    token: () => Promise<string> = async () => "t",
  ) {
    const from = Date.now();
    const { serve } = FakeWebSocket;
    FakeWebSocket.serve = (socket) => {
      this.attemptedAt.push(Date.now() - from);
      serve(socket);
    };
    this.client = new RealtimeClient({
      url: "ws://host/",
      random: seeded(7),
      ...options,
      token: () => {
        this.askedAt.push(Date.now() - from);
        return token();
      },
    });
    this.client.on("status", (status) => this.statuses.push([Date.now() - from, status]));
    this.client.on("notification", ({ offset }, key) => this.told.push(["entry", offset, key]));
    this.client.on("gap", (_, { offset, position }) => this.told.push(["gap", offset, position]));
    this.client.on("user", () => (this.told.length = 0));
    this.client.on("error", ({ message }) => this.errors.push(message));
  }

  /** Let the first minute pass. */
  async minute(): Promise<this> {
    this.client.markAsRead(0);
    this.client.open();
    for (let second = 0; second < 60; second++) await vi.advanceTimersByTimeAsync(1_000);
    return this;
  }

  /** The longest time, in milliseconds, in which the client was neither open nor said why not. */
  get longestUnexplained(): number {
    const spans = this.statuses.map(([at, status], index) => {
      const until = this.statuses[index + 1]?.[0] ?? MINUTE;
      return status.state === "connecting" ? until - at : 0;
    });
    return Math.max(0, ...spans);
  }

  /** Check what holds against every server. */
  check(): void {
    expect(this.attemptedAt.length).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(this.askedAt.length).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(this.longestUnexplained).toBeLessThanOrEqual(LONGEST_UNEXPLAINED_MS);
    this.checkEntries();
    this.checkStatus();
  }

  /** Each entry comes once, and after the one before it, unless a gap was told in between. */
  private checkEntries(): void {
    const entries = this.told.filter(([kind]) => kind === "entry");
    expect(new Set(entries.map(([, , key]) => key)).size).toBe(entries.length);
    let last: number | null = null;
    for (const [kind, offset] of this.told) {
      if (kind === "entry" && last !== null) expect(offset).toBe(last + 1);
      last = kind === "entry" ? offset : null;
    }
  }

  /** A client that is open has a socket, one that waits has a timer, one that stopped has neither. */
  private checkStatus(): void {
    const { status } = this.client;
    const isLive = FakeWebSocket.all.filter(({ readyState }) => readyState < 2).length;
    if (status.state === "open") expect(isLive).toBe(1);
    if (status.state === "waiting") {
      expect(isLive).toBe(0);
      expect(status.retryAt).toBeGreaterThan(Date.now());
      expect(status.retryAt - Date.now()).toBeLessThanOrEqual(300_000);
      expect(status.sentence).toMatch(/[a-z]/);
    }
    if (status.state === "stopped") {
      expect(isLive).toBe(0);
      expect(status.sentence).toMatch(/[a-z]/);
    }
    this.client.close();
    expect(FakeWebSocket.all.filter(({ readyState }) => readyState < 2)).toEqual([]);
  }
}

let uncaught: unknown[];
beforeEach(() => {
  uncaught = [];
  vi.spyOn(console, "error").mockImplementation((...args) => void uncaught.push(args));
});
afterEach(() => expect(uncaught).toEqual([]));

describe("against a server that", () => {
  test.each(Object.entries(HOSTILE))("%s", async (_, hostile) => {
    serve(hostile);
    (await new Seen().minute()).check();
  });
});

describe("a handshake that", () => {
  test.each(Object.entries(HANDSHAKES))("%s", async (_, answer) => {
    FakeWebSocket.serve = answer;
    (await new Seen().minute()).check();
  });
});

describe("a token provider that", () => {
  const providers: Record<string, () => unknown> = {
    fails: async () => Promise.reject(new Error("The issuer is down.")),
    "asks to sign in": async () => Promise.reject(new SignInRequiredError("Please sign in.")),
    "never answers": () => new Promise(() => {}),
    "takes 12 s": () => new Promise((resolve) => setTimeout(resolve, 12_000, "t")),
    "gives no promise": () => "t",
    "gives 100,000 letters": async () => "t".repeat(100_000),
    throws: () => {
      throw new Error("A mistake of the page.");
    },
    "throws a text": () => Promise.reject("text"),
    "throws undefined": () => Promise.reject(undefined),
  };
  test.each(Object.entries(providers))("%s", async (_, provider) => {
    serve((peer) => peer.greet());
    (await new Seen({}, provider as () => Promise<string>).minute()).check();
  });

  test.each([undefined, null, "", 5, {}, "a b", "a\nb", "ü"])("gives %j", async (token) => {
    serve((peer) => peer.greet());
    const seen = await new Seen({}, async () => token as string).minute();
    expect(FakeWebSocket.all).toEqual([]);
    // What is no token may be a secret nevertheless.
    const what = typeof token === "string" ? "a(n empty)? text( that is no token)?" : ".+";
    expect(seen.errors[0]).toMatch(new RegExp(`^The page's token provider gave ${what}\\.$`));
    seen.check();
  });
});

describe("an option that is", () => {
  const options: Record<string, Partial<ClientOptions>> = {
    "connectTimeoutMs: undefined": { connectTimeoutMs: undefined },
    "connectTimeoutMs: NaN": { connectTimeoutMs: NaN },
    "connectTimeoutMs: 0": { connectTimeoutMs: 0 },
    "backoff: undefined": { backoff: undefined },
    "backoff.baseMs: undefined": { backoff: { baseMs: undefined as unknown as number } },
    "backoff of 0": { backoff: { baseMs: 0, capMs: 0 } },
    "backoff of infinity": { backoff: { baseMs: Infinity, capMs: Infinity } },
    "heartbeat.intervalMs: undefined": {
      heartbeat: { intervalMs: undefined as unknown as number },
    },
    "heartbeat of 0": { heartbeat: { intervalMs: 0, timeoutMs: 0, probeMs: 0 } },
    "random: undefined": { random: undefined },
    "random that gives NaN": { random: () => NaN },
    "an address that is empty": { url: "" },
    "an address that is undefined": { url: undefined as unknown as string },
    "an address of another scheme": { url: "ftp://host/x" },
    "an address that is none": { url: "http://[" },
  };
  test.each(Object.entries(options))("%s, with a server that greets", async (_, option) => {
    serve((peer) => peer.greet());
    (await new Seen(option).minute()).check();
  });

  test.each(Object.entries(options))("%s, with a server that fails", async (_, option) => {
    serve((peer) => peer.socket.fail(1011));
    (await new Seen(option).minute()).check();
  });
});

describe("a page that", () => {
  test("opens again whenever the client stops", async () => {
    serve((peer) => peer.socket.fail(4003));
    const seen = new Seen();
    const { client } = seen;
    const leave = client.on("status", ({ state }) => state === "stopped" && client.open());
    await seen.minute();
    leave();
    seen.check();
  });

  test("closes at the first entry", async () => {
    serve((peer) => {
      peer.greet();
      peer.entries(1, 2, 3);
    });
    const seen = new Seen();
    seen.client.on("notification", () => seen.client.close());
    await seen.minute();
    expect(seen.told).toHaveLength(1);
    seen.check();
  });

  test("opens twice, and closes twice, and opens", async () => {
    serve((peer) => peer.greet());
    const seen = new Seen();
    const { client } = seen;
    for (const step of ["open", "open", "close", "close"] as const) client[step]();
    await seen.minute();
    expect(client.status.state).toBe("open");
    expect(FakeWebSocket.all).toHaveLength(1);
    seen.check();
  });

  test("closes, and opens again, while a token is asked for", async () => {
    serve((peer) => peer.greet());
    const slow = () => new Promise<string>((resolve) => setTimeout(resolve, 5_000, "t"));
    const seen = new Seen({}, slow);
    setTimeout(() => seen.client.close(), 500);
    setTimeout(() => seen.client.open(), 600);
    await seen.minute();
    expect(seen.client.status.state).toBe("open");
    expect(FakeWebSocket.all).toHaveLength(1);
    seen.check();
  });

  test("throws in a listener", async () => {
    const thrown: unknown[] = [];
    vi.stubGlobal("queueMicrotask", (task: () => void) => {
      try {
        task();
      } catch (error) {
        thrown.push(error);
      }
    });
    const seen = new Seen();
    seen.client.on("notification", () => {
      throw new Error("A mistake of the page.");
    });
    const minute = seen.minute();
    await vi.advanceTimersByTimeAsync(1);
    FakeWebSocket.latest.open();
    const peer = new Peer(FakeWebSocket.latest);
    peer.greet();
    peer.entries(1, 2);
    await minute;
    expect(seen.told.map(([, offset]) => offset)).toEqual([1, 2]);
    expect(thrown).toHaveLength(2);
    seen.check();
  });

  test("goes online and offline all the time", async () => {
    FakeWebSocket.serve = (socket) => socket.fail();
    const seen = new Seen();
    seen.client.open();
    for (let n = 0; n < 600; n++) {
      vi.spyOn(navigator, "onLine", "get").mockReturnValue(n % 2 === 1);
      window.dispatchEvent(new Event(n % 2 ? "online" : "offline"));
      await vi.advanceTimersByTimeAsync(100);
    }
    seen.check();
  });
});
