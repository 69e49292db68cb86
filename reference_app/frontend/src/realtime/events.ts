import type { Emitter } from "./emitter";
import type {
  ClientFrame,
  ErrorFrame,
  EstablishedFrame,
  EventFrame,
  NotificationFrame,
  OmittedFrame,
  ReadFrame,
  ServerFrame,
} from "./frames";
import type { Place } from "./position";
import type { Status } from "./status";

/** What a client tells those who listen; a key is unique among all entries of a stream. */
export type ClientEvents = {
  status: [status: Status];
  established: [frame: EstablishedFrame];
  notification: [frame: NotificationFrame, key: string];
  event: [frame: EventFrame, key: string];
  /** An entry was too large to be sent. Nothing else is lost, and asking again would not help. */
  omitted: [frame: OmittedFrame, key: string];
  /** Somebody else is signed in: what was told before is not theirs. */
  user: [id: string, before: string];
  /** The user has read up to an offset, perhaps in another tab. */
  read: [frame: ReadFrame];
  /** Something between the two places may be lost: load anew what the page shows. */
  gap: [from: Place | null, to: Place];
  /** The server complained, or no token could be had. */
  error: [error: Error | ErrorFrame];
  /** Every frame as it goes over the wire, but for the token, which a page must not show. */
  frame: [direction: "in" | "out", frame: ServerFrame | ClientFrame];
};

export type Events = Emitter<ClientEvents>;
