import type { Kind, SentItem } from "./stream";
import { type Listed, type StreamOptions, useStream } from "./useStream";

/**
 * An event of a stream. `Types` says for each type of event what its data is:
 * `EventItem<{ "member.joined": { name: string } }>`.
 */
export type EventItem<Types extends object = Record<string, unknown>> = {
  [Type in keyof Types & string]: { event_type: Type; data: Types[Type] } & SentItem;
}[keyof Types & string];

/** Follow the events of one organization, oldest first. */
export function useOrganizationEvents<Types extends object = Record<string, unknown>>(
  orgId: string,
  options: StreamOptions = {},
): Listed<"events", EventItem<Types>> {
  const url = options.url ?? `/ws/events/${encodeURIComponent(orgId)}/`;
  const { items, ...rest } = useStream(url, options, events as Kind<EventItem<Types>>);
  return { events: items, ...rest };
}

// What the server sends is not checked against the types: they say what it is trusted to send.
const events: Kind<EventItem> = (client, add) => {
  client.on("event", ({ event_type, data, offset }, key) => {
    add({ event_type, data, key, offset });
  });
};
