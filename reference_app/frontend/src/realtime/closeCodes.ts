// Generated from reference_app/realtime/protocol/close_codes.py by `python -m tests.regenerate`.

/** The numbers of the codes that the server closes with, by name. */
export const CloseCode = {
  INTERNAL_ERROR: 1011,
  RESTART: 1012,
  UNAUTHORIZED: 4001,
  FORBIDDEN: 4003,
  UNAVAILABLE: 4104,
  TOO_SLOW: 4108,
  RATE_LIMITED: 4113,
  TOO_MANY_CONNECTIONS: 4504,
  TOO_MANY_ERRORS: 4509,
} as const;

/** What is known of a code; `retryAfterMs` is null where coming back cannot help. */
export interface KnownCode {
  name: string;
  meaning: string;
  retryAfterMs: number | null;
}

/** Every code that the server closes with. */
export const KNOWN_CODES: Readonly<Record<number, KnownCode>> = {
  1011: {
    name: "INTERNAL_ERROR",
    meaning: "a bug of ours",
    retryAfterMs: 1000,
  },
  1012: {
    name: "RESTART",
    meaning: "the server restarts",
    retryAfterMs: 5000,
  },
  4001: {
    name: "UNAUTHORIZED",
    meaning: "no valid token: none, bad, expired while open, user disabled or signed out",
    retryAfterMs: 0,
  },
  4003: {
    name: "FORBIDDEN",
    meaning: "not a member, or no longer",
    retryAfterMs: null,
  },
  4104: {
    name: "UNAVAILABLE",
    meaning: "our fault: Keycloak, database or Redis out of reach",
    retryAfterMs: 1000,
  },
  4108: {
    name: "TOO_SLOW",
    meaning: "the client reads or sends too slowly",
    retryAfterMs: 0,
  },
  4113: {
    name: "RATE_LIMITED",
    meaning: "too many messages, or too much history",
    retryAfterMs: 10000,
  },
  4504: {
    name: "TOO_MANY_CONNECTIONS",
    meaning: "more sockets than one user may hold in this process",
    retryAfterMs: null,
  },
  4509: {
    name: "TOO_MANY_ERRORS",
    meaning: "malformed message after malformed message",
    retryAfterMs: null,
  },
};
