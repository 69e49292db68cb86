import type { EntryFrame, EstablishedFrame, ReadFrame } from "./frames";
import { isOffset, isPlace } from "./position";

/** The server, or what answers in its place, does not keep the contract; the sentence says how. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
}

/** Throw where a greeting lacks what a client goes on from. */
export function checkGreeting(frame: EstablishedFrame): void {
  const { recovered, user_id } = frame;
  if (!isPlace(frame)) throw new ProtocolError("The server greeted without an offset or position.");
  if (recovered !== null && typeof recovered !== "boolean") {
    throw new ProtocolError("The server greeted without saying whether it has recovered.");
  }
  if (typeof user_id !== "string" || !user_id) {
    throw new ProtocolError("The server greeted without a user.");
  }
}

/** Throw for an entry without a place. */
export function checkEntry(frame: EntryFrame): void {
  if (!isPlace(frame)) throw new ProtocolError("The server sent an entry without a place.");
}

/** Throw for a read mark that is nowhere. */
export function checkRead({ offset }: ReadFrame): void {
  if (!isOffset(offset)) throw new ProtocolError("The server sent a read mark without an offset.");
}
