import { Backoff } from "./backoff";
import { CloseCode } from "./closeCodes";
import { ABNORMAL, type Closure, closureOf, PROTOCOL_ERROR } from "./closure";
import type { ProtocolError } from "./contract";
import { Conversation } from "./conversation";
import { Emitter } from "./emitter";
import type { ClientEvents, Events } from "./events";
import { type ClientOptions, withDefaults } from "./options";
import { isOnline, watchPage } from "./page";
import { socketUrl } from "./position";
import { Rate } from "./rate";
import { CLOSED, type Status, stopped, waiting } from "./status";
import { duration, Timer } from "./timer";
import { asError, SignInRequiredError, subprotocols, Token } from "./token";
import { Transport } from "./transport";

/** A connection that has stood for so long was no failure: the waits begin anew after it. */
const STOOD_MS = 10_000;

/** Attempts, whatever a server, a page or a network does: so many at once, then one at a time. */
const ATTEMPTS_AT_ONCE = 6;
const ATTEMPT_EVERY_MS = 10_000;

/**
 * One socket that comes back: with a token that is still good, after a time that suits the reason,
 * at the place in the stream where it was.
 */
export class RealtimeClient {
  status: Status = CLOSED;

  private readonly options;
  private readonly events: Events = new Emitter<ClientEvents>();
  private readonly token: Token;
  private readonly backoff: Backoff;
  private readonly conversation: Conversation;
  private readonly transport: Transport;

  private readonly timer = new Timer();
  private readonly rate = new Rate(ATTEMPTS_AT_ONCE, ATTEMPT_EVERY_MS);
  private openSince = Infinity;
  private inVain = 0;
  private leavePage: (() => void) | null = null;
  private notBefore = 0;

  constructor(options: ClientOptions) {
    this.options = withDefaults(options);
    const { token, backoff, heartbeat, random, connectTimeoutMs, since } = this.options;
    this.token = new Token(token, connectTimeoutMs);
    this.backoff = new Backoff(backoff, random);
    const line = {
      send: (text: string) => this.transport.send(text),
      established: () => this.established(),
      silent: (sentence?: string) => this.silent(sentence),
      broken: (error: ProtocolError) => this.broken(error),
      changedUser: () => this.changedUser(),
    };
    this.conversation = new Conversation(
      this.events,
      line,
      this.token,
      heartbeat,
      connectTimeoutMs,
      since,
    );
    const listener = {
      opened: () => this.opened(),
      received: (text: string) => this.conversation.received(text),
      ended: (code: number) => this.ended(code),
    };
    this.transport = new Transport(listener, connectTimeoutMs);
  }

  /** The last entry that was told, to go on from elsewhere; null before the first greeting. */
  get position(): string | null {
    return this.conversation.position.place?.position ?? null;
  }

  /** The offset of that entry. */
  get offset(): number | null {
    return this.conversation.position.place?.offset ?? null;
  }

  /**
   * Move the user's read mark up to the offset of an entry; 0 only asks where it is.
   *
   * The event `read` answers. The mark is sent when there is a socket, and asked for on each later
   * one, because another device may have moved it meanwhile.
   */
  markAsRead(offset: number): void {
    this.conversation.markAsRead(offset);
  }

  /** Call `listener` whenever it happens; the function that is returned ends that. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (...args: ClientEvents[Name]) => void,
  ): () => void {
    return this.events.on(name, listener);
  }

  /** Connect, and stay connected until `close()` or a reason to stop. */
  open(): void {
    if (this.leavePage) return;
    this.leavePage = watchPage({
      online: () => this.cameOnline(),
      offline: () => this.wentOffline(),
      visible: () => this.conversation.probe(),
    });
    this.backoff.reset();
    this.attemptSoon();
  }

  /** Connect anew at once, as after a new sign-in: the next token is asked for, not kept. */
  reconnect(): void {
    this.token.forget();
    if (!this.leavePage) return this.open();
    this.hangUp();
    this.attemptSoon();
  }

  /** End for good, or until `open()`. */
  close(): void {
    if (this.leavePage) this.stop(CLOSED);
  }

  private attemptAfter(ms: number, meanwhile: Status): void {
    this.timer.set(ms, () => void this.attempt());
    this.reportWhereOnline(meanwhile);
  }

  /** Attempt after a short time, or when there were not too many attempts. */
  private attemptSoon(ms = 0): void {
    const waitMs = this.rate.waitMs();
    if (waitMs <= ms) return this.attemptAfter(ms, { state: "connecting" });
    const closure = closureOf(ABNORMAL, null, "There were many connections in the last minute.");
    this.attemptAfter(waitMs, waiting(closure, Date.now() + waitMs));
  }

  private async attempt(): Promise<void> {
    const visit = this.leavePage;
    this.rate.count();
    this.reportWhereOnline({ state: "connecting" });
    try {
      const token = await this.token.get();
      if (visit !== this.leavePage) return;
      const url = this.conversation.position.addedTo(socketUrl(this.options.url));
      this.transport.connect(url, subprotocols(token));
    } catch (error) {
      if (visit === this.leavePage) this.hasNoToken(asError(error));
    }
  }

  private hasNoToken(error: Error): void {
    const needsSignIn = error instanceof SignInRequiredError;
    const code = needsSignIn ? CloseCode.UNAUTHORIZED : CloseCode.UNAVAILABLE;
    const closure = closureOf(code, null, error.message);
    if (needsSignIn) this.stop(stopped(closure, true));
    else this.comeBack(closure);
    this.events.emit("error", error);
  }

  private opened(): void {
    this.inVain = 0;
    this.conversation.start();
  }

  private established(): void {
    this.openSince = Date.now();
    this.report({ state: "open" });
  }

  private silent(sentence?: string): void {
    this.transport.close();
    this.ended(ABNORMAL, sentence);
  }

  private broken(error: ProtocolError): void {
    this.hangUp();
    this.comeBack(closureOf(PROTOCOL_ERROR, null, error.message));
    this.events.emit("error", error);
  }

  private changedUser(): void {
    this.hangUp();
    this.attemptSoon();
  }

  /** End this socket, and count whether it was a good one. */
  private hangUp(): void {
    this.conversation.stop();
    this.transport.close();
    this.judge();
  }

  /** Let the waits begin anew after a connection that has stood. */
  private judge(): void {
    if (Date.now() - this.openSince >= STOOD_MS) {
      this.backoff.reset();
      this.token.accept();
    }
    this.openSince = Infinity;
  }

  private ended(code: number, sentence?: string): void {
    const wasOpened = this.conversation.isGoingOn;
    this.judge();
    const why = sentence ?? (wasOpened ? undefined : this.unreachable());
    const closure = closureOf(code, this.conversation.stop(), why);
    if (!closure.comesBack) return this.stop(stopped(closure));
    if (closure.code === CloseCode.UNAUTHORIZED && !this.token.reject()) {
      return this.stop(stopped(closure, true));
    }
    this.comeBack(closure);
  }

  private comeBack(closure: Closure): void {
    this.notBefore = Date.now() + closure.atLeastMs;
    const usualMs = duration(closure.atLeastMs + this.backoff.next(closure.withinMs), 1_000);
    const ms = Math.max(usualMs, this.rate.waitMs());
    this.attemptAfter(ms, waiting(closure, Date.now() + ms));
  }

  /** Say why no socket was opened; a browser tells a page nothing of it. */
  private unreachable(): string {
    this.inVain += 1;
    const advice = "Check the address, and that the server allows the origin of this page.";
    return this.inVain > 1 ? `Could not connect. ${advice}` : "Could not connect.";
  }

  private stop(status: Status): void {
    this.timer.clear();
    this.token.stop();
    this.hangUp();
    this.leavePage?.();
    this.leavePage = null;
    this.report(status);
  }

  private cameOnline(): void {
    this.conversation.probe();
    if (this.status.state !== "offline") return;
    this.backoff.reset();
    // Where no timer runs, an attempt is on its way.
    if (!this.timer.isSet) return this.report({ state: "connecting" });
    const jitterMs = this.backoff.jitter(this.options.onlineJitterMs);
    this.attemptSoon(Math.max(0, this.notBefore - Date.now()) + jitterMs);
  }

  private wentOffline(): void {
    // Asked, because a connection that needs no network lives on.
    this.conversation.probe();
    if (this.status.state === "waiting") this.report({ state: "offline" });
  }

  /** Report what is the matter, or that the browser has no network, which explains more. */
  private reportWhereOnline(status: Status): void {
    this.report(isOnline() ? status : { state: "offline" });
  }

  private report(status: Status): void {
    if (JSON.stringify(status) === JSON.stringify(this.status)) return;
    this.status = status;
    this.events.emit("status", status);
  }
}
