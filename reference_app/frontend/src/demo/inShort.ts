import type { ClientFrame, EstablishedFrame, ServerFrame } from "../realtime";
import { clock } from "./clock";
import { omittedWords, summaryOf } from "./wording";

/** Say in a few words what a frame has to tell beside its type. */
export function inShort(frame: ServerFrame | ClientFrame): string {
  switch (frame.type) {
    case "connection.established":
      return greetingWords(frame);
    case "notification":
      return [frame.notification.title, frame.notification.body].filter(Boolean).join(" · ");
    case "event":
      return `${frame.event_type} · ${summaryOf(frame.data)}`;
    case "entry.omitted":
      return omittedWords(frame);
    case "notifications.read":
      return readWords(frame);
    case "connection.closing":
      return `${frame.code} ${frame.reason}`;
    case "token.expiring":
    case "token.refreshed":
      return `expires at ${clock(Date.parse(frame.expires_at))}`;
    case "token.refresh":
      return "another token";
    case "error":
      return frame.message;
    default:
      return "";
  }
}

function greetingWords({ recovered, offset }: EstablishedFrame): string {
  if (recovered === null) return `begins after #${offset}`;
  return recovered ? `recovered: resumes after #${offset}` : "not recovered: something is missing";
}

/** The page sends 0 to be told how far the user has read. */
function readWords(frame: { offset: number; unread?: number }): string {
  if (frame.unread !== undefined) return `read up to #${frame.offset}, ${frame.unread} unread`;
  return frame.offset === 0 ? "how far have I read?" : `mark up to #${frame.offset}`;
}
