import type { Closure } from "./closure";

/** What a client is doing, for the page to show. */
export type Status =
  | { state: "connecting" }
  | { state: "open" }
  /** `retryAt` is in milliseconds, as `Date.now()`. */
  | { state: "waiting"; retryAt: number; code: number; name: string; sentence: string }
  /** The browser has no network. It tries now and then: a server on the same machine needs none. */
  | { state: "offline" }
  /** It will not come back by itself. */
  | { state: "stopped"; code: number; name: string; sentence: string; needsSignIn: boolean };

/** Return the status of a client that waits to come back. */
export function waiting({ code, name, sentence }: Closure, retryAt: number): Status {
  return { state: "waiting", retryAt, code, name, sentence };
}

/** Return the status of a client that gave up. */
export function stopped({ code, name, sentence }: Closure, needsSignIn = false): Status {
  return { state: "stopped", code, name, sentence, needsSignIn };
}

/** The status after `close()`. */
export const CLOSED: Status = {
  state: "stopped",
  code: 1000,
  name: "NORMAL",
  sentence: "The page closed the connection.",
  needsSignIn: false,
};
