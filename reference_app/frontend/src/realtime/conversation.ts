import { checkEntry, checkGreeting, checkRead, ProtocolError } from "./contract";
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
import { type Place, Position, type Since } from "./position";
import { Rate } from "./rate";
import { Refresh } from "./refresh";
import { Timer } from "./timer";
import type { Token } from "./token";

/** What a conversation needs of the connection that it runs on. */
export interface Line {
  send(text: string): boolean;
  established(): void;
  /** Nothing comes from the server any more. */
  silent(sentence?: string): void;
  /** What came is no conversation by the contract. */
  broken(error: ProtocolError): void;
  /** The token was another user's than before. */
  changedUser(): void;
}

/** How long the server may take to close after it said that it does. */
const CLOSE_MS = 3_000;

/** Read marks that are sent, however often a page moves them; a server counts messages. */
const MARKS_AT_ONCE = 5;
const MARK_EVERY_MS = 3_000;

/** What is said on an open socket, in both directions. */
export class Conversation {
  /** Kept from one socket to the next. */
  readonly position: Position;
  private userId: string | null = null;

  private readonly heartbeat: Heartbeat;
  private readonly refresh: Refresh;
  private readonly deadline = new Timer();
  private isOn = false;
  private isEstablished = false;
  private lastWord: ClosingFrame | null = null;

  /** Up to where the user has read, as far as this page knows; null while it does not ask. */
  private mark: number | null = null;
  private readonly marking = new Timer();
  private readonly markRate = new Rate(MARKS_AT_ONCE, MARK_EVERY_MS);

  constructor(
    private readonly events: Events,
    private readonly line: Line,
    token: Token,
    times: HeartbeatTimes,
    private readonly greetingMs: number,
    since: Since | undefined,
  ) {
    this.position = new Position(since);
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
    this.refresh.start();
    this.deadline.set(this.greetingMs, () =>
      this.line.silent("The server took the connection and did not greet."),
    );
  }

  /** End, and return the last frame, if the server said why it closes. */
  stop(): ClosingFrame | null {
    const { lastWord } = this;
    this.isOn = this.isEstablished = false;
    this.lastWord = null;
    this.heartbeat.stop();
    this.deadline.clear();
    this.marking.clear();
    return lastWord;
  }

  /** Whether there is a socket to talk on. */
  get isGoingOn(): boolean {
    return this.isOn;
  }

  /** Ask at once whether the server is there. */
  probe(): void {
    this.heartbeat.probe();
  }

  /** Move the read mark, never beyond what was told. */
  markAsRead(offset: number): void {
    const last = this.position.place?.offset ?? offset;
    this.mark = Math.max(this.mark ?? 0, Math.min(offset, last) || 0);
    this.sendMark();
  }

  received(text: string): void {
    this.heartbeat.heard();
    const frame = parseFrame(text);
    if (!frame) return this.events.emit("error", new Error("The server sent what is no frame."));
    this.events.emit("frame", "in", frame);
    if (!this.isOn) return;
    try {
      this.read(frame);
    } catch (error) {
      this.line.broken(error as ProtocolError);
    }
  }

  private read(frame: ServerFrame): void {
    switch (frame.type) {
      case "connection.established":
        return this.begin(frame);
      case "notification":
      case "event":
      case "entry.omitted":
        return this.deliver(frame);
      case "notifications.read":
        checkRead(frame);
        return this.events.emit("read", frame);
      case "token.expiring":
        return void this.refresh.expiring();
      case "token.refreshed":
        return this.refresh.refreshed();
      case "error":
        if (frame.code === "token_refused") void this.refresh.refused();
        return this.events.emit("error", frame);
      case "connection.closing":
        this.lastWord = frame;
        this.deadline.set(CLOSE_MS, () => this.line.silent());
    }
  }

  private begin(frame: EstablishedFrame): void {
    checkGreeting(frame);
    if (this.isEstablished) throw new ProtocolError("The server greeted twice.");
    if (this.userId !== null && frame.user_id !== this.userId) return this.greetAnother(frame);
    const from = this.position.place;
    const to = this.position.begin(frame);
    this.userId = frame.user_id;
    this.isEstablished = true;
    this.deadline.clear();
    this.line.established();
    this.events.emit("established", frame);
    // With any other position than the one that was asked for, there is no telling what is lost.
    const isWhole = from
      ? frame.recovered && from.position === to.position
      : frame.recovered !== false;
    if (!isWhole) this.lose(from, to);
    this.sendMark();
  }

  /** Report a gap; of another history an offset says nothing. */
  private lose(from: Place | null, to: Place): void {
    this.mark &&= 0;
    this.events.emit("gap", from, to);
  }

  /** Begin anew for another user, whose stream has nothing to do with the place that was asked for. */
  private greetAnother({ user_id }: EstablishedFrame): void {
    const before = this.userId!;
    this.position.forget();
    this.mark &&= 0;
    this.userId = user_id;
    this.events.emit("user", user_id, before);
    this.line.changedUser();
  }

  private deliver(frame: EntryFrame): void {
    if (!this.isEstablished) throw new ProtocolError("The server sent an entry before it greeted.");
    checkEntry(frame);
    const steps = this.position.stepsTo(frame);
    if (steps > 1) return this.miss(frame);
    if (steps === 1) this.tell(frame);
  }

  /** Report a gap, and go on after the last entry that was seen, in case the server has the rest. */
  private miss({ offset, position }: EntryFrame): void {
    this.events.emit("gap", this.position.place, { offset, position });
    throw new ProtocolError("The server left out an entry.");
  }

  private tell(frame: EntryFrame): void {
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

  /** Say how far the user has read, once the server has said whose the socket is. */
  private sendMark(): void {
    if (this.mark === null || !this.isEstablished) return;
    this.marking.set(this.markRate.waitMs(), () => {
      this.markRate.count();
      this.send({ type: "notifications.read", offset: this.mark! });
    });
  }

  private send(frame: ClientFrame): void {
    if (!this.line.send(JSON.stringify(frame))) return;
    const shown = frame.type === "token.refresh" ? { ...frame, token: "…" } : frame;
    this.events.emit("frame", "out", shown);
  }
}
