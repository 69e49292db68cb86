import type { ClientEvents, Status } from "../realtime";
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
  /** Whether the server goes on where the client was. */
  isRecovered?: boolean;
  /** What a frame says at length, or why a connection ended. */
  detail: object | string;
}

export type NewRow = Omit<TraceRow, "key" | "at">;

export function frameRow(socket: SocketName, ...[direction, frame]: ClientEvents["frame"]): NewRow {
  const offset = "offset" in frame ? frame.offset : null;
  const isRecovered = "recovered" in frame && frame.recovered === true;
  return { socket, direction, type: frame.type, offset, isRecovered, detail: frame };
}

/** Return the line that a status deserves: one that tells of an end. */
export function endRow(socket: SocketName, status: Status): NewRow | null {
  if (status.state !== "waiting" && status.state !== "stopped") return null;
  const type = `${status.code} ${status.name}`;
  return { socket, direction: "end", type, offset: null, detail: closureWords(status) };
}
