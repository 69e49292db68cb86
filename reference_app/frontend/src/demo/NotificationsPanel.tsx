import { memo, useEffect } from "react";

import type { NotificationItem, OmittedItem } from "../react";
import type { ErrorFrame, Status } from "../realtime";
import { LeavingButton } from "./LeavingButton";
import { behindNotification } from "./python";
import { PythonLine } from "./PythonLine";
import { StatusLine } from "./StatusLine";
import { omittedWords } from "./wording";

/** What is listed: a notification, or the place of one. */
type Listed = NotificationItem | OmittedItem;

interface Props {
  notifications: Listed[];
  /** The offset up to which all is read, in whatever tab; null while it is not known. */
  read: number | null;
  unread: number | null;
  markAsRead: (offset?: number) => void;
  status: Status;
  error: Error | ErrorFrame | null;
  hasGap: boolean;
  onUnread: (count: number) => void;
}

/** The user's own notifications: what is new is announced, what is unread is counted. */
export function NotificationsPanel(props: Props) {
  const { notifications, read, markAsRead, status, error, hasGap, onUnread } = props;
  const unread = props.unread ?? 0;
  useEffect(() => onUnread(unread), [unread, onUnread]);

  return (
    <div className="panel">
      <header>
        <h3>Notifications</h3>
        {unread > 0 && <Unread count={unread} />}
        <LeavingButton className="quiet" disabled={unread === 0} onClick={() => markAsRead()}>
          Mark all read
        </LeavingButton>
      </header>
      <StatusLine status={status} error={error} hasGap={hasGap} of="Notifications" />
      <div className="listing">
        <ul className="entries" role="list" aria-label="Notifications" tabIndex={0}>
          {[...notifications].reverse().map((item) => (
            <Entry
              key={item.key}
              item={item}
              isRead={read === null || item.offset <= read}
              markAsRead={markAsRead}
            />
          ))}
        </ul>
        {notifications.length === 0 && <p className="empty">No notifications yet.</p>}
        {/* Always there, or no screen reader would notice what enters. */}
        <p className="unseen" aria-live="polite">
          {unread > 0 && notifications.length > 0 && `New: ${titleOf(notifications.at(-1)!)}`}
        </p>
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
  markAsRead: (offset: number) => void;
}

const Entry = memo(function Entry({ item, isRead, markAsRead }: EntryProps) {
  return (
    <li className={isRead ? "read" : "unread"}>
      {!isRead && (
        <LeavingButton
          className="quiet"
          aria-label={`Mark read: ${titleOf(item)}`}
          title="Older ones count as read too."
          onClick={() => markAsRead(item.offset)}
        >
          Mark read
        </LeavingButton>
      )}
      <strong>{titleOf(item)}</strong>
      {!isRead && <span className="unseen"> (unread)</span>}
      {!item.omitted && item.body && <p>{item.body}</p>}
      {!item.omitted && <PythonLine {...behindNotification(item)} />}
    </li>
  );
});

function titleOf(item: Listed): string {
  return item.omitted ? omittedWords(item.omitted) : item.title;
}
