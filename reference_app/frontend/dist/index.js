import {
  CLOSED,
  CloseCode,
  KNOWN_CODES,
  ProtocolError,
  RealtimeClient,
  SignInRequiredError
} from "./shared.js";
export {
  CLOSED,
  CloseCode,
  KNOWN_CODES,
  ProtocolError,
  RealtimeClient,
  SignInRequiredError
};
/*! Licenses of third parties: index.js.LEGAL.txt */
