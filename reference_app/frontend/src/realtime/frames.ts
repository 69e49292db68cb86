import type { Place } from "./position";

/** What a notification says; a page may understand more keys. */
export interface Notification {
  title: string;
  body: string;
  [key: string]: unknown;
}

export interface EstablishedFrame extends Place {
  type: "connection.established";
  message: string;
  user_id: string;
  org_id?: string;
  expires_at: string;
  /** Whether everything after the client's position follows; null if it named none. */
  recovered: boolean | null;
}

export interface NotificationFrame extends Place {
  type: "notification";
  notification: Notification;
}

export interface EventFrame extends Place {
  type: "event";
  event_type: string;
  data: unknown;
}

/** Stands in the place of an entry that cannot be sent. */
export interface OmittedFrame extends Place {
  type: "entry.omitted";
  /** Bytes of the frame that was not sent. */
  size: number;
}

/** The user has read up to an offset, perhaps in another tab or on another device. */
export interface ReadFrame {
  type: "notifications.read";
  offset: number;
  /** How many entries follow it. */
  unread: number;
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
  | OmittedFrame
  | ReadFrame
  | ClosingFrame
  | ErrorFrame
  | PongFrame
  | TokenFrame;

/** A frame that is an entry of the stream, or stands in the place of one. */
export type EntryFrame = NotificationFrame | EventFrame | OmittedFrame;

/** A frame that the client sends. */
export type ClientFrame =
  | { type: "ping"; timestamp: number }
  | { type: "token.refresh"; token: string }
  | { type: "notifications.read"; offset: number };

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
