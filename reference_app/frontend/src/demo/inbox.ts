import type { NotificationItem } from "../react";
import type { Place } from "../realtime";

/** Toasts that may be seen at once; of the others only the number. */
export const MOST_TOASTS = 3;

/** What a user has yet to see. */
export interface Inbox {
  /** Up to where notifications are counted. */
  counted: Place | null;
  unread: number;
  /** Keys of listed notifications that were read. */
  read: ReadonlySet<string>;
  toasts: NotificationItem[];
  /** How many came besides the toasts. */
  more: number;
}

export const EMPTY: Inbox = { counted: null, unread: 0, read: new Set(), toasts: [], more: 0 };

export type InboxAction =
  | { type: "established"; at: Place }
  | { type: "listed"; items: NotificationItem[] }
  | { type: "read"; key: string }
  | { type: "all read"; items: NotificationItem[] }
  | { type: "toasts over" };

export function inboxAfter(inbox: Inbox, action: InboxAction): Inbox {
  switch (action.type) {
    case "established":
      // Within an epoch the count goes on where it was: what came meanwhile is yet to be listed.
      return inbox.counted?.epoch === action.at.epoch ? inbox : { ...inbox, counted: action.at };
    case "listed":
      return afterListing(inbox, action.items);
    case "read":
      if (inbox.read.has(action.key)) return inbox;
      return {
        ...inbox,
        unread: Math.max(0, inbox.unread - 1),
        read: new Set(inbox.read).add(action.key),
      };
    case "all read":
      return { ...inbox, unread: 0, read: new Set(action.items.map(({ key }) => key)) };
    case "toasts over":
      return { ...inbox, toasts: [], more: 0 };
  }
}

function afterListing(inbox: Inbox, items: NotificationItem[]): Inbox {
  const last = items.at(-1);
  if (!last) return inbox;
  const counted = placeIn(last.key);
  const count = countBetween(inbox.counted, counted, items);
  if (count <= 0) return inbox;
  const listed = items.slice(-Math.min(count, items.length));
  const room = MOST_TOASTS - inbox.toasts.length;
  return {
    counted,
    unread: inbox.unread + count,
    read: new Set(items.filter(({ key }) => inbox.read.has(key)).map(({ key }) => key)),
    toasts: [...inbox.toasts, ...listed.slice(0, room)],
    more: inbox.more + count - Math.min(room, listed.length),
  };
}

/** Return how many came since; offsets count those too that the list no longer holds. */
function countBetween(from: Place | null, to: Place, items: NotificationItem[]): number {
  return from?.epoch === to.epoch ? to.offset - from.offset : items.length;
}

function placeIn(key: string): Place {
  const [epoch = "", offset] = key.split(":");
  return { epoch, offset: Number(offset) };
}
