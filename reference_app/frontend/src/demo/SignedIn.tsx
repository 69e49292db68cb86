import { CloseCode } from "../realtime";
import type { Account } from "./account";
import { Actions } from "./Actions";
import { causesFor } from "./causes";
import type { Configuration, Person } from "./configuration";
import { FramesPanel } from "./FramesPanel";
import { LeavingButton } from "./LeavingButton";
import { NotificationsPanel } from "./NotificationsPanel";
import { OrganizationPanel } from "./OrganizationPanel";
import { useOrganization } from "./useOrganization";
import { useEvents, useMyNotifications } from "./useSockets";
import { useTrace } from "./useTrace";

interface Props {
  account: Account;
  name: string;
  /** Who is on the other side of the page, where there is one. */
  other: Person | null;
  configuration: Configuration;
  signInAgain: () => void;
  onUnread: (count: number) => void;
}

/** One user's session: two sockets, what they bring, and what the user can cause. */
export function SignedIn({ account, name, other, configuration, signInAgain, onUnread }: Props) {
  const { devrealm } = configuration;
  const [rows, trace, clear] = useTrace();
  const notifications = useMyNotifications(account, trace);
  const isConnected = notifications.status.state === "open";
  const orgId = useOrganization(account, devrealm?.orgId ?? null, isConnected);
  const events = useEvents(account, orgId, trace);

  const statuses = [notifications.status, events.status];
  const needsSignIn = statuses.some((each) => each.state === "stopped" && each.needsSignIn);
  const isMember = !(
    events.status.state === "stopped" && events.status.code === CloseCode.FORBIDDEN
  );
  const causes = causesFor({
    account,
    name,
    other,
    orgId,
    isMember,
    isConnected,
    devrealm,
    reconnect: () => {
      notifications.reconnect();
      if (isMember) events.reconnect();
    },
    reconnectOrganization: events.reconnect,
  });
  const ended = needsSignIn && (
    <div className="notice" role="alert">
      <p>The session has ended.</p>
      <LeavingButton className="primary" onClick={signInAgain}>
        Sign in again
      </LeavingButton>
    </div>
  );

  return (
    <>
      <Actions causes={causes} notice={ended || undefined} />
      <div className="panels">
        <NotificationsPanel {...notifications} onUnread={onUnread} />
        <OrganizationPanel {...events} orgId={orgId} />
      </div>
      <FramesPanel rows={rows} clear={clear} />
    </>
  );
}
