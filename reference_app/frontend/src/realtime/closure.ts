import { CloseCode, KNOWN_CODES } from "./closeCodes";
import type { ClosingFrame } from "./frames";
import { duration } from "./timer";

/** RFC 6455, 7.4.1: no close frame came. */
export const ABNORMAL = 1006;

/** RFC 6455, 7.4.1: the other side broke the protocol. */
export const PROTOCOL_ERROR = 1002;

/** Why a connection ended, and what to do about it. */
export interface Closure {
  code: number;
  name: string;
  /** For people. */
  sentence: string;
  /** Whether coming back can help. */
  comesBack: boolean;
  /** Wait at least so long, */
  atLeastMs: number;
  /** and then a random part of so long, or more after more failures. */
  withinMs: number;
}

/**
 * Read a close code, and the last frame of the server, if it sent one.
 *
 * The frame goes first: a code gets lost on the way where a proxy or a server drops the connection.
 */
export function closureOf(
  eventCode: number,
  frame: ClosingFrame | null,
  sentence = frame?.reason,
): Closure {
  const code = Number.isInteger(frame?.code) ? frame!.code : eventCode;
  const known = KNOWN_CODES[code];
  const waitMs = duration(frame?.retry_after_ms, known?.retryAfterMs ?? 0);
  const isRestart = code === CloseCode.RESTART;
  return {
    code,
    name: known?.name ?? NAMES[code] ?? "UNKNOWN",
    sentence:
      (typeof sentence === "string" && sentence) ||
      known?.meaning ||
      SENTENCES[code] ||
      "The connection ended.",
    comesBack: typeof frame?.reconnect === "boolean" ? frame.reconnect : comesBackOn(code),
    // Of a restart the wait is a window: all clients lost their sockets at once.
    atLeastMs: isRestart ? 0 : waitMs,
    withinMs: isRestart ? waitMs : 0,
  };
}

/** Whether to come back on a code alone; those that this client does not know have ranges. */
function comesBackOn(code: number): boolean {
  const known = KNOWN_CODES[code];
  return known ? known.retryAfterMs !== null : code < 4500 || code > 4999;
}

const NAMES: Record<number, string> = {
  1000: "NORMAL",
  [PROTOCOL_ERROR]: "PROTOCOL_ERROR",
  [ABNORMAL]: "ABNORMAL",
};

const SENTENCES: Record<number, string> = { [ABNORMAL]: "The connection was lost." };
