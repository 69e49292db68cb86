import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import { type WebSocket, WebSocketServer } from "ws";

import type { Place } from "../src/realtime";
import { KNOWN_CODES } from "../src/realtime/closeCodes";
import { Inbox } from "./inbox";

/** A place of a stream; a history that began anew has other positions for the same offsets. */
export function at(offset: number, history = "first"): Place {
  return { offset, position: `${history}/${offset}` };
}

/** A real WebSocket server that speaks the contract, as each test tells it. */
export class Server {
  readonly connections = new Inbox<Connection>();
  private readonly refused = new Inbox<string>();
  private refusals = 0;

  private constructor(private readonly server: WebSocketServer) {
    server.on("connection", (socket, request) => {
      this.connections.put(new Connection(socket, request));
    });
  }

  static async start(port = 0): Promise<Server> {
    const server = new WebSocketServer({
      port,
      host: "127.0.0.1",
      handleProtocols: () => "realtime.v1",
      verifyClient: (_: unknown, answer: (ok: boolean, code: number) => void) =>
        started.mayCome() ? answer(true, 101) : answer(false, 403),
    });
    const started = new Server(server);
    await new Promise((resolve) => server.once("listening", resolve));
    return started;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/ws/notifications/`;
  }

  /** The next client that comes. */
  next(): Promise<Connection> {
    return this.connections.next();
  }

  /** The next client that comes, and is let in. */
  async established(greeting: object = {}): Promise<Connection> {
    const connection = await this.next();
    connection.establish(greeting);
    return connection;
  }

  /** Answer the next handshakes with HTTP 403. */
  refuseHandshakes(count: number): void {
    this.refusals = count;
  }

  refusedHandshake(): Promise<string> {
    return this.refused.next();
  }

  async stop(): Promise<void> {
    for (const client of this.server.clients) client.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private mayCome(): boolean {
    if (this.refusals === 0) return true;
    this.refusals -= 1;
    this.refused.put("403");
    return false;
  }
}

/** The server's end of one connection. */
export class Connection {
  readonly frames = new Inbox<{ type: string; [key: string]: unknown }>();
  readonly closed: Promise<number>;
  readonly token: string;
  readonly path: string;
  readonly query: Record<string, string>;

  constructor(
    private readonly socket: WebSocket,
    request: IncomingMessage,
  ) {
    const [, bearer] = request.headers["sec-websocket-protocol"]!.split(/, */);
    this.token = bearer?.replace("bearer.", "") ?? "";
    const { pathname, searchParams } = new URL(request.url!, "ws://host");
    [this.path, this.query] = [pathname, Object.fromEntries(searchParams)];
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("message", (data) => this.frames.put(JSON.parse(String(data))));
  }

  send(frame: object | string): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  establish(greeting: object = {}): void {
    this.send({
      type: "connection.established",
      message: "Connected to your notifications.",
      user_id: "alice",
      expires_at: "2026-11-24T12:00:00+00:00",
      ...at(0),
      recovered: null,
      ...greeting,
    });
  }

  notify(offset: number, title = `n${offset}`, history?: string): void {
    const notification = { title, body: "" };
    this.send({ type: "notification", notification, ...at(offset, history) });
  }

  omit(offset: number, size = 2_000_000): void {
    this.send({ type: "entry.omitted", size, ...at(offset) });
  }

  /** Close as the app does: a last frame, then the code. */
  refuse(code: number, retryAfterMs: number | null = KNOWN_CODES[code]!.retryAfterMs): void {
    this.send({
      type: "connection.closing",
      code,
      reason: `The reason for ${code}.`,
      reconnect: retryAfterMs !== null,
      retry_after_ms: retryAfterMs,
    });
    this.close(code);
  }

  close(code: number): void {
    this.socket.close(code);
  }

  /** Be gone without a close frame. */
  vanish(): void {
    this.socket.terminate();
  }
}
