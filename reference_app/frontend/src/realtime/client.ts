import { Backoff } from "./backoff";
import { CloseCode } from "./closeCodes";
import { ABNORMAL, type Closure, closureOf } from "./closure";
import { Conversation } from "./conversation";
import { Emitter } from "./emitter";
import type { ClientEvents, Events } from "./events";
import { type ClientOptions, withDefaults } from "./options";
import { isOnline, watchPage } from "./page";
import { socketUrl } from "./position";
import { CLOSED, type Status, stopped, waiting } from "./status";
import { asError, SignInRequiredError, subprotocols, Token } from "./token";
import { Transport } from "./transport";

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

  private timer: ReturnType<typeof setTimeout> | undefined;
  private leavePage: (() => void) | null = null;
  private notBefore = 0;

  constructor(options: ClientOptions) {
    this.options = withDefaults(options);
    const { token, backoff, heartbeat, random, connectTimeoutMs } = this.options;
    this.token = new Token(token, connectTimeoutMs);
    this.backoff = new Backoff(backoff, random);
    const line = {
      send: (text: string) => this.transport.send(text),
      established: () => this.established(),
      silent: () => this.silent(),
    };
    this.conversation = new Conversation(this.events, line, this.token, heartbeat);
    const listener = {
      opened: () => this.conversation.start(),
      received: (text: string) => this.conversation.received(text),
      ended: (code: number) => this.ended(code),
    };
    this.transport = new Transport(listener, connectTimeoutMs);
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
    this.attemptAfter(0, { state: "connecting" });
  }

  /** End for good, or until `open()`. */
  close(): void {
    if (this.leavePage) this.stop(CLOSED);
  }

  private attemptAfter(ms: number, meanwhile: Status): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.attempt(), ms);
    this.reportWhereOnline(meanwhile);
  }

  private async attempt(): Promise<void> {
    const visit = this.leavePage;
    this.timer = undefined;
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

  private established(): void {
    this.backoff.reset();
    this.token.accept();
    this.report({ state: "open" });
  }

  private silent(): void {
    this.transport.close();
    this.ended(ABNORMAL);
  }

  private ended(code: number): void {
    const closure = closureOf(code, this.conversation.stop());
    if (!closure.comesBack) return this.stop(stopped(closure));
    if (closure.code === CloseCode.UNAUTHORIZED && !this.token.reject()) {
      return this.stop(stopped(closure, true));
    }
    this.comeBack(closure);
  }

  private comeBack(closure: Closure): void {
    this.notBefore = Date.now() + closure.atLeastMs;
    const ms = closure.atLeastMs + this.backoff.next(closure.withinMs);
    this.attemptAfter(ms, waiting(closure, Date.now() + ms));
  }

  private stop(status: Status): void {
    clearTimeout(this.timer);
    this.conversation.stop();
    this.transport.close();
    this.leavePage?.();
    this.leavePage = null;
    this.report(status);
  }

  private cameOnline(): void {
    this.conversation.probe();
    if (this.status.state !== "offline") return;
    this.backoff.reset();
    // Where no timer runs, an attempt is on its way.
    if (this.timer === undefined) return this.report({ state: "connecting" });
    const jitterMs = this.backoff.jitter(this.options.onlineJitterMs);
    const ms = Math.max(0, this.notBefore - Date.now()) + jitterMs;
    this.attemptAfter(ms, { state: "connecting" });
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
