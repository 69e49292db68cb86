import { memo, useEffect, useRef, useState } from "react";

import { useNotifications } from "../react";
import type { Status, TokenProvider } from "../realtime";
import { addressOf } from "./address";
import type { Listed } from "./inbox";
import { LeavingButton } from "./LeavingButton";
import { StatusLine } from "./StatusLine";
import { Summary } from "./Summary";
import { Toasts } from "./Toasts";
import { frameRow, type NewRow } from "./trace";
import { useInbox } from "./useInbox";
import { omittedWords } from "./wording";

interface Props {
  token: TokenProvider;
  trace: (row: NewRow) => void;
  onStatus: (status: Status) => void;
  onUnread: (count: number) => void;
}

/** The user's own notifications: what is new pops up, what is unread is counted. */
export function NotificationsPanel({ token, trace, onStatus, onUnread }: Props) {
  const [hasGap, setHasGap] = useState(false);
  const { notifications, arrived, status, error } = useNotifications({
    url: addressOf("/ws/notifications/"),
    token,
    onGap: () => setHasGap(true),
    onFrame: (...frame) => trace(frameRow("notifications", ...frame)),
  });
  const toasts = useRef<HTMLDivElement>(null);
  const inbox = useInbox(notifications, arrived, toasts);
  useEffect(() => onStatus(status), [status, onStatus]);
  useEffect(() => onUnread(inbox.unread), [inbox.unread, onUnread]);

  return (
    <div className="panel">
      <header>
        <h3>Notifications</h3>
        {inbox.unread > 0 && <Unread count={inbox.unread} />}
        <LeavingButton className="quiet" disabled={inbox.unread === 0} onClick={inbox.markAllRead}>
          Mark all read
        </LeavingButton>
      </header>
      <StatusLine status={status} error={error} hasGap={hasGap} of="Notifications" />
      <div className="inbox">
        <Toasts region={toasts} toasts={inbox.toasts} more={inbox.more} close={inbox.endToasts} />
        <ul className="entries" role="list" aria-label="Notifications" tabIndex={0}>
          {[...notifications].reverse().map((item) => (
            <Entry
              key={item.key}
              item={item}
              isRead={inbox.read.has(item.key)}
              markRead={inbox.markRead}
            />
          ))}
        </ul>
      </div>
    </div>
  );
}

function Unread({ count }: { count: number }) {
  return (
    <span className="badge">
      {count.toLocaleString("en")}
      <span className="unseen"> unread</span>
    </span>
  );
}

interface EntryProps {
  item: Listed;
  isRead: boolean;
  markRead: (key: string) => void;
}

const Entry = memo(function Entry({ item, isRead, markRead }: EntryProps) {
  return (
    <li className={isRead ? "read" : "unread"}>
      <div>
        <Summary item={item}>{!isRead && <span className="unseen"> (unread)</span>}</Summary>
      </div>
      {!isRead && (
        <LeavingButton
          className="quiet"
          aria-label={`Mark read: ${item.omitted ? omittedWords(item.omitted) : item.title}`}
          onClick={() => markRead(item.key)}
        >
          Mark read
        </LeavingButton>
      )}
    </li>
  );
});
