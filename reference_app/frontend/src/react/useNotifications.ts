import type { Notification } from "../realtime";
import type { Kind, SentItem } from "./stream";
import { type Listed, type StreamOptions, useStream } from "./useStream";

/** What a notification says; keys `key`, `offset` and `omitted` of its own are hidden. */
export type NotificationItem = Notification & SentItem;

/** Follow the user's own notifications, oldest first, and how many of them are unread. */
export function useNotifications(
  options: StreamOptions = {},
): Listed<"notifications", NotificationItem> {
  const url = options.url ?? "/ws/notifications/";
  const { items, ...rest } = useStream(url, options, notifications);
  return { notifications: items, ...rest };
}

const notifications: Kind<NotificationItem> = (client, add) => {
  client.on("notification", ({ notification, offset }, key) =>
    add({ ...notification, key, offset, omitted: undefined }),
  );
  client.markAsRead(0);
};
