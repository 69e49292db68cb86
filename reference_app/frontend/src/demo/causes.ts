import type { Account } from "./account";
import { request } from "./api";
import { clock } from "./clock";
import type { Configuration } from "./configuration";

/** Seconds that a token lives which is made to expire. */
const SHORT = 5;

/** Seconds that the server lets pass before a socket ends with its token; see `realtime/identity/tokens.py`. */
const LEEWAY = 10;

/** Something that a user can make happen; `act` returns what to expect of it. */
export interface Cause {
  label: string;
  act: () => Promise<string>;
}

/** What the causes of one session need to know. */
export interface Circumstances {
  account: Account;
  name: string;
  orgId: string | null | undefined;
  isMember: boolean;
  onJoined: () => void;
  devrealm: Configuration["devrealm"];
}

/** Return what sends something, and what breaks something. */
export function causesFor(of: Circumstances): { sending: Cause[]; breaking: Cause[] } {
  const { devrealm } = of;
  const sending = [notifyMe(of)];
  if (of.orgId) sending.push(createResource(of, of.orgId));
  if (!devrealm) return { sending, breaking: [] };
  sending.push(runTask(of));
  const breaking = [expireToken(of), signOut(of), of.isMember ? leave(of) : join(of)];
  if (devrealm.canRestart) breaking.push(restart(of));
  return { sending, breaking };
}

const notifyMe = ({ account, name }: Circumstances): Cause => ({
  label: "Notify me",
  async act() {
    const body = `Sent at ${clock()}, to you and to nobody else.`;
    await request(account, "POST", "/api/me/notifications/", { title: `Hello, ${name}`, body });
    return "Accepted. The notification comes over the socket.";
  },
});

const createResource = ({ account }: Circumstances, orgId: string): Cause => ({
  label: "Create a resource",
  async act() {
    const path = `/api/organizations/${orgId}/resources/`;
    const { name } = await request(account, "POST", path, { name: `Plan of ${clock()}` });
    return `Created “${name}”. A signal tells every member of the organization.`;
  },
});

const runTask = ({ account }: Circumstances): Cause => ({
  label: "Run the Celery task",
  async act() {
    const { document } = await request(account, "POST", "/demo/task/");
    return `Queued ${document}. The worker tells you, and the organization.`;
  },
});

const expireToken = ({ account }: Circumstances): Cause => ({
  label: "Expire my token",
  async act() {
    const replaced = await account.shorten(SHORT);
    await request({ token: async () => replaced }, "POST", "/demo/sign-out/");
    return (
      `Your token was revoked, hence the 4001. The next one expires in ${SHORT} seconds; ` +
      `not renewed, it closes your sockets ${LEEWAY} seconds later.`
    );
  },
});

const signOut = ({ account }: Circumstances): Cause => ({
  label: "Sign out",
  async act() {
    const last = await account.signOut();
    await request({ token: async () => last }, "POST", "/demo/sign-out/");
    return "Signed out. Every socket of this session closes, in every process.";
  },
});

const leave = ({ account }: Circumstances): Cause => ({
  label: "Leave the organization",
  async act() {
    await request(account, "DELETE", "/demo/membership/");
    return "You are a member no longer. The organization's socket closes.";
  },
});

const join = ({ account, onJoined }: Circumstances): Cause => ({
  label: "Join the organization",
  async act() {
    await request(account, "POST", "/demo/membership/");
    onJoined();
    return "You are a member.";
  },
});

const restart = ({ account }: Circumstances): Cause => ({
  label: "Restart the server",
  async act() {
    await request(account, "POST", "/demo/restart/");
    return "The server closes every socket with 1012, stops, and comes back.";
  },
});
