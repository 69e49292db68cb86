export { RealtimeClient } from "./client";
export { ProtocolError } from "./contract";
export { CloseCode, KNOWN_CODES, type KnownCode } from "./closeCodes";
export type { ClientEvents } from "./events";
export type {
  ClientFrame,
  ClosingFrame,
  EntryFrame,
  ErrorFrame,
  EstablishedFrame,
  EventFrame,
  Notification,
  NotificationFrame,
  OmittedFrame,
  PongFrame,
  ReadFrame,
  ServerFrame,
  TokenFrame,
} from "./frames";
export type { ClientOptions } from "./options";
export type { Place, Since } from "./position";
export { CLOSED, type Status } from "./status";
export { SignInRequiredError, type TokenProvider, type TokenReason } from "./token";
