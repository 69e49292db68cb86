import type { Account } from "./account";
import { request } from "./api";
import { clock } from "./clock";
import type { Configuration, Person } from "./configuration";
import { BEHIND, type Python } from "./python";

/** Seconds that a token lives which is made to expire. */
const SHORT = 5;

/** Seconds that the server lets pass before a socket ends with its token; see `realtime/identity/tokens.py`. */
const LEEWAY = 10;

/** Something that a user can make happen; `act` returns what to expect of it. */
export interface Cause {
  label: string;
  act: () => Promise<string>;
  /** The line of Python that the server runs for it. */
  python: Python;
  /** Why it cannot work now. */
  obstacle?: string | undefined;
}

/** The causes of one session: what to begin with, what else sends something, what breaks something. */
export interface Causes {
  primary: Cause[];
  secondary: Cause[];
  breaking: Cause[];
}

/** What the causes of one session need to know. */
export interface Circumstances {
  account: Account;
  name: string;
  /** Who is on the other side of the page, where there is one. */
  other: Person | null;
  orgId: string | null | undefined;
  isMember: boolean;
  isConnected: boolean;
  /** Connect the session's sockets anew. */
  reconnect: () => void;
  /** Connect the organization's socket anew. */
  reconnectOrganization: () => void;
  devrealm: Configuration["devrealm"];
}

const NOT_CONNECTED = "The page is not connected to the server now.";
const NO_MEMBER = "Only members can do that. Join the organization first.";

/** Return what a user can cause, each with what is in its way. */
export function causesFor(of: Circumstances): Causes {
  const { devrealm, other, orgId, isMember } = of;
  const connected = (cause: Cause) => ({
    ...cause,
    obstacle: of.isConnected ? undefined : NOT_CONNECTED,
  });
  const member = (cause: Cause) => ({
    ...connected(cause),
    ...(of.isConnected && !isMember && { obstacle: NO_MEMBER }),
  });
  const resource = orgId ? [member(createResource(of, orgId))] : [];
  if (!devrealm || !other) {
    return { primary: [connected(notifyMe(of)), ...resource], secondary: [], breaking: [] };
  }
  const breaking = [expireToken(of), signOut(of), isMember ? leave(of) : join(of)];
  if (devrealm.canRestart) breaking.push(restart(of));
  return {
    primary: [connected(notify(of, other)), ...resource],
    secondary: [connected(notifyMe(of)), member(runTask(of))],
    breaking: breaking.map(connected),
  };
}

const notify = ({ account }: Circumstances, { username, name }: Person): Cause => ({
  label: `Notify ${givenName(name)}`,
  python: BEHIND.notify,
  async act() {
    await request(account, "POST", "/demo/notify/", { to: username });
    return `Accepted. The notification goes to ${givenName(name)}, and to nobody else.`;
  },
});

const notifyMe = ({ account, name }: Circumstances): Cause => ({
  label: "Notify me",
  python: BEHIND.notifyMe,
  async act() {
    const body = `Sent at ${clock()}, to you and to nobody else.`;
    await request(account, "POST", "/api/me/notifications/", { title: `Hello, ${name}`, body });
    return "Accepted. The notification comes over your socket.";
  },
});

const createResource = ({ account }: Circumstances, orgId: string): Cause => ({
  label: "Create a resource",
  python: BEHIND.createResource,
  async act() {
    const path = `/api/organizations/${orgId}/resources/`;
    const { name } = await request(account, "POST", path, { name: `Plan of ${clock()}` });
    return `Created “${name}”. A signal tells every member of the organization.`;
  },
});

const runTask = ({ account }: Circumstances): Cause => ({
  label: "Run the Celery task",
  python: BEHIND.runTask,
  async act() {
    const { document } = await request(account, "POST", "/demo/task/");
    return `Queued ${document}. The worker tells you, and then the organization.`;
  },
});

const expireToken = ({ account, reconnect }: Circumstances): Cause => ({
  label: "Expire my token",
  python: BEHIND.expireToken,
  async act() {
    await account.shorten(SHORT);
    reconnect();
    return account.renews
      ? `Your token lives for ${SHORT} seconds. At token.expiring the page sends another one.`
      : `Your token lives for ${SHORT} seconds and no other follows. 4001 comes ${LEEWAY} seconds after its end.`;
  },
});

const signOut = ({ account }: Circumstances): Cause => ({
  label: "Sign out",
  python: BEHIND.signOut,
  async act() {
    const last = await account.signOut();
    await request({ token: async () => last }, "POST", "/demo/sign-out/");
    return "Signed out. The sockets of this session close.";
  },
});

const leave = ({ account }: Circumstances): Cause => ({
  label: "Leave the organization",
  python: BEHIND.leave,
  async act() {
    await request(account, "DELETE", "/demo/membership/");
    return "You are a member no longer. The organization's socket closes.";
  },
});

const join = ({ account, reconnectOrganization }: Circumstances): Cause => ({
  label: "Join the organization",
  python: BEHIND.join,
  async act() {
    await request(account, "POST", "/demo/membership/");
    reconnectOrganization();
    return "You are a member. The organization's socket connects again.";
  },
});

const restart = ({ account }: Circumstances): Cause => ({
  label: "Restart the server",
  python: BEHIND.restart,
  async act() {
    await request(account, "POST", "/demo/restart/");
    return "The server closes every socket with 1012 and stops. Another one starts.";
  },
});

/** Return what a person is called in short. */
export function givenName(name: string): string {
  return name.split(" ")[0]!;
}
