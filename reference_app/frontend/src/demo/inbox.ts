import type { NotificationItem, OmittedItem } from "../react";

/** What is listed: a notification, or the place of one. */
export type Listed = NotificationItem | OmittedItem;

/** Toasts that may be seen at once; of the others only the number. */
export const MOST_TOASTS = 3;

/** What a user has yet to see. */
export interface Inbox {
  /** How many of those that have arrived are counted. */
  counted: number;
  unread: number;
  /** Keys of listed notifications that were read. */
  read: ReadonlySet<string>;
  toasts: Listed[];
  /** How many came besides the toasts. */
  more: number;
}

export const EMPTY: Inbox = { counted: 0, unread: 0, read: new Set(), toasts: [], more: 0 };

export type InboxAction =
  | { type: "listed"; items: Listed[]; arrived: number }
  | { type: "read"; key: string }
  | { type: "all read"; items: Listed[] }
  | { type: "toasts over" };

export function inboxAfter(inbox: Inbox, action: InboxAction): Inbox {
  switch (action.type) {
    case "listed":
      return afterListing(inbox, action.items, action.arrived);
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

function afterListing(inbox: Inbox, items: Listed[], arrived: number): Inbox {
  const count = arrived - inbox.counted;
  if (count === 0) return inbox;
  if (count < 0) return { ...inbox, counted: arrived }; // of another list, from its beginning
  const listed = items.slice(-Math.min(count, items.length));
  const room = MOST_TOASTS - inbox.toasts.length;
  return {
    counted: arrived,
    unread: inbox.unread + count,
    read: new Set(items.filter(({ key }) => inbox.read.has(key)).map(({ key }) => key)),
    toasts: [...inbox.toasts, ...listed.slice(0, room)],
    more: inbox.more + count - Math.min(room, listed.length),
  };
}
