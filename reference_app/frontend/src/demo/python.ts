import type { NotificationItem } from "../react";
import { CloseCode } from "../realtime";

/** A line of this project's Python, as it stands in its file; a test compares the two. */
export interface Python {
  file: string;
  line: string;
}

const python = (file: string, line: string): Python => ({ file, line });

/** What the buttons of the page run. */
export const BEHIND = {
  notify: python("demo/triggers.py", "async_to_sync(broadcast_notification)(to.subject, note)"),
  notifyMe: python(
    "api/views.py",
    'async_to_sync(broadcast_notification)(request.token["sub"], notification)',
  ),
  createResource: python("api/views.py", "resource.save()"),
  runTask: python(
    "demo/triggers.py",
    'process_document.delay(request.token["sub"], str(ORG_ID), document)',
  ),
  expireToken: python(
    "realtime/sockets/expiry.py",
    'self._wake(notice, "token.expiring", then=(left + LEEWAY - notice, "token.expired"))',
  ),
  signOut: python("demo/triggers.py", "end_session(session_of(request.token))"),
  leave: python("demo/triggers.py", "Membership.objects.filter(**mine).delete()"),
  join: python("demo/triggers.py", "Membership.objects.get_or_create(**mine)"),
  restart: python("demo/triggers.py", "supervisor.stop()"),
};

const SENT_BY_ANYONE = python(
  "api/consumers.py",
  "await broadcast_many([notification_for(user_id, notification)])",
);
const SENT_BY_THE_TASK = python("api/tasks.py", "async_to_sync(broadcast_notification)(");

/** Return the line that sent a notification. */
export function behindNotification({ title, from }: NotificationItem): Python {
  if (from) return BEHIND.notify;
  return title === "Document Processed" ? SENT_BY_THE_TASK : SENT_BY_ANYONE;
}

const EVENTS: Record<string, Python> = {
  "resource.created": python("api/signals.py", "async_to_sync(broadcast_org_event)("),
  "document.processed": python("api/tasks.py", "async_to_sync(broadcast_org_event)("),
};
const EVENT_BY_ANYONE = python(
  "api/consumers.py",
  "await broadcast_many([org_event_for(org_id, event_type, data)])",
);

/** Return the line that sent an event. */
export function behindEvent(type: string): Python {
  return EVENTS[type] ?? EVENT_BY_ANYONE;
}

const CLOSINGS: Record<string, Python> = {
  "You are not a member of this organization.": python(
    "realtime/authority/access.py",
    "usual = Refusal(CloseCode.FORBIDDEN, topic.denied)",
  ),
  "The session was signed out.": python(
    "realtime/authority/access.py",
    'SESSION_ENDED = Refusal(CloseCode.UNAUTHORIZED, "The session was signed out.")',
  ),
  "The token has expired.": python(
    "realtime/authority/access.py",
    'TOKEN_EXPIRED = Refusal(CloseCode.UNAUTHORIZED, "The token has expired.")',
  ),
  "The user is disabled.": python(
    "realtime/authority/access.py",
    'USER_DISABLED = Refusal(CloseCode.UNAUTHORIZED, "The user is disabled.")',
  ),
};
const RESTART = python(
  "realtime/server/websocket.py",
  'self.close(SERVICE_RESTART, "The server restarts.")',
);

/** Return the line that ended a socket, where it is one of a few. */
export function behindClosing(code: number, sentence: string): Python | undefined {
  return code === CloseCode.RESTART ? RESTART : CLOSINGS[sentence];
}
