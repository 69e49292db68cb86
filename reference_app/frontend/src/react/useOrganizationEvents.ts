import type { EventFrame } from "../realtime";
import type { Keyed } from "./history";
import { type StreamOptions, type StreamState, type Subscribe, useStream } from "./useStream";

export type EventItem = Pick<EventFrame, "event_type" | "data"> & Keyed;

/** Follow the events of one organisation, oldest first. */
export function useOrganizationEvents(
  orgId: string,
  options: StreamOptions,
): {
  events: EventItem[];
  status: StreamState<EventItem>["status"];
  error: StreamState<EventItem>["error"];
} {
  const url = options.url ?? `/ws/events/${encodeURIComponent(orgId)}/`;
  const { items, ...rest } = useStream(url, options, subscribe);
  return { events: items, ...rest };
}

const subscribe: Subscribe<EventItem> = (client, add) => {
  client.on("event", ({ event_type, data }, key) => add({ event_type, data, key }));
};
