export type { OmittedItem, StreamOptions } from "./useStream";
export { type NotificationItem, useNotifications } from "./useNotifications";
export { type EventItem, useOrganizationEvents } from "./useOrganizationEvents";
