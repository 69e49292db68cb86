import { useEffect, useMemo, useState } from "react";

import { useNotifications, useOrganizationEvents } from "../react";
import type { ClientEvents, Status } from "../realtime";
import type { Account } from "./account";
import { addressOf } from "./address";
import { endRow, frameRow, type NewRow, type SocketName } from "./trace";

/** Entries of the history that a page shows when it is loaded; the hooks keep as many. */
const SINCE = 100;

type Trace = (row: NewRow) => void;

/** Follow a user's own notifications, and write down what goes over their socket. */
export function useMyNotifications(account: Account, trace: Trace) {
  const [options, hasGap] = useOptions("notifications", account, trace);
  const state = useNotifications({ url: addressOf("/ws/notifications/"), ...options });
  useEnds("notifications", state.status, trace);
  return { ...state, hasGap };
}

/** Follow the events of an organization, once it is known, and write down what goes over the socket. */
export function useEvents(account: Account, orgId: string | null | undefined, trace: Trace) {
  const [options, hasGap] = useOptions("organization", account, trace);
  const enabled = Boolean(orgId);
  const url = addressOf(`/ws/events/${orgId}/`);
  const state = useOrganizationEvents(orgId ?? "", { ...options, url, enabled });
  useEnds("organization", enabled ? state.status : null, trace);
  return { ...state, hasGap };
}

function useOptions(socket: SocketName, account: Account, trace: Trace) {
  const token = useMemo(() => account.provider(), [account]);
  const [hasGap, setHasGap] = useState(false);
  const options = {
    token,
    since: SINCE,
    onGap: () => setHasGap(true),
    onFrame: (...frame: ClientEvents["frame"]) => trace(frameRow(socket, ...frame)),
  };
  return [options, hasGap] as const;
}

/** Write down each end of a connection. */
function useEnds(socket: SocketName, status: Status | null, trace: Trace): void {
  useEffect(() => {
    const row = status && endRow(socket, status);
    if (row) trace(row);
  }, [socket, status, trace]);
}
