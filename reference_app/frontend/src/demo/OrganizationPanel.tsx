import { memo } from "react";

import type { EventItem, OmittedItem } from "../react";
import type { ErrorFrame, Status } from "../realtime";
import { behindEvent } from "./python";
import { PythonLine } from "./PythonLine";
import { StatusLine } from "./StatusLine";
import { omittedWords, summaryOf } from "./wording";

interface Props {
  orgId: string | null | undefined;
  events: (EventItem | OmittedItem)[];
  status: Status;
  error: Error | ErrorFrame | null;
  hasGap: boolean;
}

/** The events of the organization, which every member hears. */
export function OrganizationPanel({ orgId, events, status, error, hasGap }: Props) {
  return (
    <div className="panel">
      <header>
        <h3>Organization</h3>
      </header>
      {orgId ? (
        <StatusLine status={status} error={error} hasGap={hasGap} of="Organization" />
      ) : (
        <p className="status">
          {orgId === null ? "You belong to no organization." : "Asks for your organization …"}
        </p>
      )}
      <div className="listing">
        <ul className="entries" role="list" aria-label="Organization feed" tabIndex={0}>
          {[...events].reverse().map((item) => (
            <Entry key={item.key} item={item} />
          ))}
        </ul>
        {events.length === 0 && <p className="empty">No events yet.</p>}
      </div>
    </div>
  );
}

const Entry = memo(function Entry({ item }: { item: EventItem | OmittedItem }) {
  if (item.omitted) {
    return (
      <li>
        <p>{omittedWords(item.omitted)}</p>
      </li>
    );
  }
  return (
    <li>
      <strong>{item.event_type}</strong>
      <p>{summaryOf(item.data)}</p>
      <PythonLine {...behindEvent(item.event_type)} />
    </li>
  );
});
