import { useCallback, useMemo, useState } from "react";

import { CloseCode, type Status } from "../realtime";
import type { Account } from "./account";
import { Actions } from "./Actions";
import { causesFor } from "./causes";
import type { Configuration } from "./configuration";
import { FramesPanel } from "./FramesPanel";
import { LeavingButton } from "./LeavingButton";
import { NotificationsPanel } from "./NotificationsPanel";
import { OrganizationPanel } from "./OrganizationPanel";
import { endRow, type SocketName } from "./trace";
import { useOrganization } from "./useOrganization";
import { useTrace } from "./useTrace";

interface Props {
  account: Account;
  name: string;
  configuration: Configuration;
  signInAgain: () => void;
  onUnread: (count: number) => void;
}

/** One user's session: two sockets, what they bring, and what the user can cause. */
export function SignedIn({ account, name, configuration, signInAgain, onUnread }: Props) {
  const { devrealm } = configuration;
  const [rows, trace, clear] = useTrace();
  const [statuses, setStatuses] = useState<Partial<Record<SocketName, Status>>>({});
  // A client that was told to stay away does; another one comes for a user who has joined.
  const [visits, setVisits] = useState(0);
  const orgId = useOrganization(
    account,
    devrealm?.orgId ?? null,
    statuses.notifications?.state === "open",
  );
  const forNotifications = useMemo(() => account.provider(), [account]);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- another provider makes another client
  const forOrganization = useMemo(() => account.provider(), [account, visits]);

  const told = useCallback(
    (socket: SocketName, status: Status) => {
      setStatuses((was) => ({ ...was, [socket]: status }));
      const row = endRow(socket, status);
      if (row) trace(row);
    },
    [trace],
  );
  const onNotifications = useCallback((status: Status) => told("notifications", status), [told]);
  const onOrganization = useCallback((status: Status) => told("organization", status), [told]);

  const onJoined = () => setVisits((was) => was + 1);
  const { organization } = statuses;
  const isStranger = organization?.state === "stopped" && organization.code === CloseCode.FORBIDDEN;
  const needsSignIn = Object.values(statuses).some((s) => s.state === "stopped" && s.needsSignIn);

  return (
    <>
      {needsSignIn && (
        <div className="notice" role="alert">
          <p>The session has ended.</p>
          <LeavingButton className="primary" onClick={signInAgain}>
            Sign in again
          </LeavingButton>
        </div>
      )}
      <Actions
        account={account}
        causes={causesFor({ account, name, orgId, onJoined, isMember: !isStranger, devrealm })}
      />
      <div className="panels">
        <NotificationsPanel
          token={forNotifications}
          trace={trace}
          onStatus={onNotifications}
          onUnread={onUnread}
        />
        {orgId ? (
          <OrganizationPanel
            key={visits}
            orgId={orgId}
            token={forOrganization}
            trace={trace}
            onStatus={onOrganization}
          />
        ) : (
          <p className="panel empty">
            {orgId === null ? "You belong to no organization." : "Asks for your organization …"}
          </p>
        )}
      </div>
      <FramesPanel rows={rows} clear={clear} />
    </>
  );
}
