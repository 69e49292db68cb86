/** What a notification says; a page may understand more keys. */
export interface Notification {
  title: string;
  body: string;
  [key: string]: unknown;
}

export interface EstablishedFrame {
  type: "connection.established";
  message: string;
  user_id: string;
  org_id?: string;
  expires_at: string;
  epoch: string;
  offset: number;
  recovered: boolean | null;
}

export interface NotificationFrame {
  type: "notification";
  notification: Notification;
  offset: number;
}

export interface EventFrame {
  type: "event";
  event_type: string;
  data: unknown;
  offset: number;
}

export interface ClosingFrame {
  type: "connection.closing";
  code: number;
  reason: string;
  reconnect: boolean;
  retry_after_ms: number | null;
}

export interface ErrorFrame {
  type: "error";
  code: string;
  message: string;
}

export interface PongFrame {
  type: "pong";
  timestamp: unknown;
}

export interface TokenFrame {
  type: "token.expiring" | "token.refreshed";
  expires_at: string;
}

/** A frame that the server sends; a newer server may send types that are not listed. */
export type ServerFrame =
  | EstablishedFrame
  | NotificationFrame
  | EventFrame
  | ClosingFrame
  | ErrorFrame
  | PongFrame
  | TokenFrame;

/** A frame that is an entry of the stream, at its offset. */
export type EntryFrame = NotificationFrame | EventFrame;

/** A frame that the client sends. */
export type ClientFrame =
  | { type: "ping"; timestamp: number }
  | { type: "token.refresh"; token: string };

/** Return the frame that a text spells, or null for what is none. */
export function parseFrame(text: string): ServerFrame | null {
  try {
    const value: unknown = JSON.parse(text);
    return isFrame(value) ? value : null;
  } catch {
    return null;
  }
}

function isFrame(value: unknown): value is ServerFrame {
  return typeof (value as { type?: unknown } | null)?.type === "string";
}
