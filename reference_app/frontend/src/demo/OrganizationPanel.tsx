import { memo, useEffect, useState } from "react";

import { type EventItem, type OmittedItem, useOrganizationEvents } from "../react";
import type { Status, TokenProvider } from "../realtime";
import { addressOf } from "./address";
import { StatusLine } from "./StatusLine";
import { frameRow, type NewRow } from "./trace";
import { omittedWords } from "./wording";

interface Props {
  orgId: string;
  token: TokenProvider;
  trace: (row: NewRow) => void;
  onStatus: (status: Status) => void;
}

/** The events of the organization, which every member hears. */
export function OrganizationPanel({ orgId, token, trace, onStatus }: Props) {
  const [hasGap, setHasGap] = useState(false);
  const { events, status, error } = useOrganizationEvents(orgId, {
    url: addressOf(`/ws/events/${orgId}/`),
    token,
    onGap: () => setHasGap(true),
    onFrame: (...frame) => trace(frameRow("organization", ...frame)),
  });
  useEffect(() => onStatus(status), [status, onStatus]);

  return (
    <div className="panel">
      <header>
        <h3>Organization</h3>
      </header>
      <StatusLine status={status} error={error} hasGap={hasGap} of="Organization" />
      <ul className="entries" role="list" aria-label="Organization feed" tabIndex={0}>
        {[...events].reverse().map((item) => (
          <Entry key={item.key} item={item} />
        ))}
      </ul>
    </div>
  );
}

const Entry = memo(function Entry({ item }: { item: EventItem | OmittedItem }) {
  return (
    <li>
      <div>
        {!item.omitted && <strong>{item.event_type}</strong>}
        <p>{item.omitted ? omittedWords(item.omitted) : summaryOf(item.data)}</p>
      </div>
    </li>
  );
});

/** Name what an event is about, by the keys that the server's own events have. */
function summaryOf(data: unknown): string {
  const { resource_name, document_id } = (data ?? {}) as Record<string, unknown>;
  return String(resource_name ?? document_id ?? JSON.stringify(data));
}
