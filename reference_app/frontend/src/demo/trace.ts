import type { ClientEvents, Status } from "../realtime";
import { inShort } from "./inShort";
import { behindClosing, type Python } from "./python";
import { closureWords } from "./wording";

/** The two sockets of a session. */
export type SocketName = "notifications" | "organization";

/** One line of the live view: a frame, or the end of a connection. */
export interface TraceRow {
  key: string;
  at: number;
  socket: SocketName;
  direction: "in" | "out" | "end";
  type: string;
  offset: number | null;
  /** What a frame says in a few words, or why a connection ended. */
  short: string;
  /** What a frame says at length. */
  frame: object | null;
  /** The line that ended a connection. */
  python?: Python | undefined;
}

export type NewRow = Omit<TraceRow, "key" | "at">;

export function frameRow(socket: SocketName, ...[direction, frame]: ClientEvents["frame"]): NewRow {
  const offset =
    "position" in frame && frame.type !== "connection.established" ? frame.offset : null;
  return { socket, direction, type: frame.type, offset, short: inShort(frame), frame };
}

/** Return the line that a status deserves: one that tells of an end. */
export function endRow(socket: SocketName, status: Status): NewRow | null {
  if (status.state !== "waiting" && status.state !== "stopped") return null;
  const type = `${status.code} ${status.name}`;
  const python = behindClosing(status.code, status.sentence);
  const short = closureWords(status);
  return { socket, direction: "end", type, offset: null, short, frame: null, python };
}
