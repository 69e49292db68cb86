import type { Notification } from "../realtime";
import type { Keyed } from "./history";
import { type StreamOptions, type StreamState, type Subscribe, useStream } from "./useStream";

export type NotificationItem = Notification & Keyed;

/** Follow the user's own notifications, oldest first. */
export function useNotifications(options: StreamOptions): {
  notifications: NotificationItem[];
  status: StreamState<NotificationItem>["status"];
  error: StreamState<NotificationItem>["error"];
} {
  const url = options.url ?? "/ws/notifications/";
  const { items, ...rest } = useStream(url, options, subscribe);
  return { notifications: items, ...rest };
}

const subscribe: Subscribe<NotificationItem> = (client, add) => {
  client.on("notification", ({ notification }, key) => add({ ...notification, key }));
};
