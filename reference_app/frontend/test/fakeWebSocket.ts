import { afterEach, beforeEach, vi } from "vitest";

import { type ClientOptions, RealtimeClient } from "../src/realtime";

/** A socket without a network, so that every timer is the client's. */
export class FakeWebSocket extends EventTarget {
  static all: FakeWebSocket[];
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readyState = 0;
  readonly sent: string[] = [];

  constructor() {
    super();
    FakeWebSocket.all.push(this);
  }

  static get latest(): FakeWebSocket {
    return this.all.at(-1)!;
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  /** Be closed by the network. */
  fail(): void {
    this.readyState = 3;
    this.dispatchEvent(new CloseEvent("close", { code: 1006 }));
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 3;
  }
}

/** Replace the network and the timers in each test. */
export function useFakeWebSocket(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("WebSocket", FakeWebSocket);
    FakeWebSocket.all = [];
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
}

/** Return a client whose first socket is being opened. */
export async function opened(options: Partial<ClientOptions> = {}): Promise<RealtimeClient> {
  const token = async () => "token";
  const client = new RealtimeClient({ url: "ws://host/", token, random: () => 0.5, ...options });
  client.open();
  await vi.advanceTimersByTimeAsync(1);
  return client;
}
