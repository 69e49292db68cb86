import ReconnectingWebSocket, { CloseEvent as MadeUpCloseEvent } from "partysocket/ws";

import { ABNORMAL } from "./closure";

/** What happens on a transport. */
export interface TransportListener {
  opened(): void;
  received(text: string): void;
  /** An attempt or a connection ended by itself; not told after `close()`. */
  ended(code: number): void;
}

/**
 * One socket at a time, over partysocket, which comes back only when it is told to.
 *
 * Its own delays have no jitter and know no close code. `maxRetries: 0` leaves one attempt for each
 * `reconnect()`; what it queues while closed would be sent to a server that knows nothing of it.
 */
export class Transport {
  private readonly socket: ReconnectingWebSocket;
  private url = "";
  private protocols: string[] = [];
  private isBusy = false;
  private isOpen = false;

  constructor(
    private readonly listener: TransportListener,
    connectionTimeout: number,
  ) {
    this.socket = new ReconnectingWebSocket(
      () => this.url,
      () => this.protocols,
      { startClosed: true, maxRetries: 0, maxEnqueuedMessages: 0, connectionTimeout },
    );
    this.socket.onopen = () => this.opened();
    this.socket.onmessage = ({ data }) => this.received(data);
    this.socket.onclose = (event) => this.ended(realCode(event));
    // An address or a protocol that no WebSocket takes: nothing closes, as nothing was made.
    this.socket.onerror = () => this.ended(ABNORMAL);
  }

  connect(url: string, protocols: string[]): void {
    [this.url, this.protocols, this.isBusy] = [url, protocols, true];
    this.socket.reconnect();
  }

  /** Send a text; false if nothing is open. */
  send(text: string): boolean {
    return this.isOpen && this.socket.send(text);
  }

  /** End what is there, and say nothing of it. */
  close(): void {
    this.isBusy = this.isOpen = false;
    this.socket.close();
  }

  private opened(): void {
    this.isOpen = true;
    this.listener.opened();
  }

  private received(data: unknown): void {
    if (typeof data === "string") this.listener.received(data);
  }

  private ended(code: number): void {
    if (!this.isBusy) return;
    this.isBusy = this.isOpen = false;
    this.listener.ended(code);
  }
}

/** Return the code of a close; partysocket makes up an event with 1000 for what failed. */
function realCode(event: Event & { code: number }): number {
  return event instanceof MadeUpCloseEvent ? ABNORMAL : event.code;
}
