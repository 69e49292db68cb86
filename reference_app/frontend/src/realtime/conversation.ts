import type { Events } from "./events";
import {
  type ClientFrame,
  type ClosingFrame,
  type EntryFrame,
  type EstablishedFrame,
  parseFrame,
  type ServerFrame,
} from "./frames";
import { Heartbeat, type HeartbeatTimes } from "./heartbeat";
import { Position } from "./position";
import { Refresh } from "./refresh";
import type { Token } from "./token";

/** What a conversation needs of the connection that it runs on. */
export interface Line {
  send(text: string): boolean;
  established(): void;
  /** Nothing comes from the server any more. */
  silent(): void;
}

/** What is said on an open socket, in both directions. */
export class Conversation {
  /** Kept from one socket to the next. */
  readonly position = new Position();

  private readonly heartbeat: Heartbeat;
  private readonly refresh: Refresh;
  private isOn = false;
  private lastWord: ClosingFrame | null = null;

  constructor(
    private readonly events: Events,
    private readonly line: Line,
    token: Token,
    times: HeartbeatTimes,
  ) {
    this.heartbeat = new Heartbeat(
      times,
      () => this.send({ type: "ping", timestamp: Date.now() }),
      () => line.silent(),
    );
    this.refresh = new Refresh(
      token,
      (renewed) => this.send({ type: "token.refresh", token: renewed }),
      (error) => this.events.emit("error", error),
    );
  }

  start(): void {
    this.isOn = true;
    this.heartbeat.start();
  }

  /** End, and return the last frame, if the server said why it closes. */
  stop(): ClosingFrame | null {
    const { lastWord } = this;
    this.isOn = false;
    this.lastWord = null;
    this.heartbeat.stop();
    return lastWord;
  }

  /** Ask at once whether the server is there. */
  probe(): void {
    this.heartbeat.probe();
  }

  received(text: string): void {
    this.heartbeat.heard();
    const frame = parseFrame(text);
    if (!frame) return this.events.emit("error", new Error("The server sent what is no frame."));
    this.events.emit("frame", "in", frame);
    if (this.isOn) this.read(frame);
  }

  private read(frame: ServerFrame): void {
    switch (frame.type) {
      case "connection.established":
        return this.begin(frame);
      case "notification":
      case "event":
      case "entry.omitted":
        return this.deliver(frame);
      case "token.expiring":
        return void this.refresh.expiring();
      case "error":
        if (frame.code === "token_refused") void this.refresh.refused();
        return this.events.emit("error", frame);
      case "connection.closing":
        this.lastWord = frame;
    }
  }

  private begin(frame: EstablishedFrame): void {
    const from = this.position.place;
    const to = this.position.begin(frame);
    this.line.established();
    this.events.emit("established", frame);
    if (frame.recovered === false) this.events.emit("gap", from, to);
  }

  private deliver(frame: EntryFrame): void {
    if (!this.position.advance(frame)) return;
    const key = frame.position;
    switch (frame.type) {
      case "notification":
        return this.events.emit("notification", frame, key);
      case "event":
        return this.events.emit("event", frame, key);
      case "entry.omitted":
        return this.events.emit("omitted", frame, key);
    }
  }

  private send(frame: ClientFrame): void {
    if (!this.line.send(JSON.stringify(frame))) return;
    const shown = frame.type === "token.refresh" ? { ...frame, token: "…" } : frame;
    this.events.emit("frame", "out", shown);
  }
}
