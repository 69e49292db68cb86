export { RealtimeProvider } from "./provider";
export type { OmittedItem } from "./stream";
export { type NotificationItem, useNotifications } from "./useNotifications";
export { type EventItem, useOrganizationEvents } from "./useOrganizationEvents";
export type { StreamOptions } from "./useStream";
