import type { EventFrame } from "../realtime";
import {
  type Listed,
  type SentItem,
  type StreamOptions,
  type Subscribe,
  useStream,
} from "./useStream";

export type EventItem = Pick<EventFrame, "event_type" | "data"> & SentItem;

/** Follow the events of one organization, oldest first. */
export function useOrganizationEvents(
  orgId: string,
  options: StreamOptions,
): Listed<"events", EventItem> {
  const url = options.url ?? `/ws/events/${encodeURIComponent(orgId)}/`;
  const { items, ...rest } = useStream(url, options, subscribe);
  return { events: items, ...rest };
}

const subscribe: Subscribe<EventItem> = (client, add) => {
  client.on("event", ({ event_type, data }, key) => add({ event_type, data, key }));
};
