import { afterEach, beforeEach, vi } from "vitest";

import { type ClientOptions, RealtimeClient } from "../src/realtime";

/** A socket without a network, so that every timer is the client's. */
export class FakeWebSocket extends EventTarget {
  static all: FakeWebSocket[];
  /** What the server does with each socket, at once. */
  static serve: (socket: FakeWebSocket) => void = () => {};
  /** What the server does with each text that it is sent. */
  answer: (text: string) => void = () => {};
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readyState = 0;
  readonly sent: string[] = [];

  constructor() {
    super();
    FakeWebSocket.all.push(this);
    queueMicrotask(() => FakeWebSocket.serve(this));
  }

  static get latest(): FakeWebSocket {
    return this.all.at(-1)!;
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  /** Let something come from the server. */
  receive(frame: unknown): void {
    if (this.readyState !== 1) return;
    const data = typeof frame === "string" ? frame : JSON.stringify(frame);
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  /** Be closed by the network, or by the server with a code. */
  fail(code = 1006): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(new CloseEvent("close", { code }));
  }

  send(text: string): void {
    this.sent.push(text);
    queueMicrotask(() => this.answer(text));
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
    FakeWebSocket.serve = () => {};
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
