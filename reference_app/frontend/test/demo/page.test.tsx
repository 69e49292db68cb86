import {
  cleanup,
  configure,
  fireEvent,
  render,
  screen,
  waitFor,
  within,
} from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Configuration } from "../../src/demo/configuration";
import { Page } from "../../src/demo/Page";
import { server, useServer } from "../client";
import { at, type Connection } from "../server";

useServer();
configure({ asyncUtilTimeout: 20_000 });

const PEOPLE = [
  { username: "alice", name: "Alice Archer" },
  { username: "bob", name: "Bob Baker" },
];
const LAPTOP: Configuration = {
  issuer: "http://issuer.example/realms/demo",
  clientId: "web",
  devrealm: { tokenEndpoint: "/token", orgId: "org-1", people: PEOPLE, canRestart: true },
};

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;
  vi.stubGlobal("location", { href: new URL("/", server.url.replace("ws:", "http:")).href });
  hasRoomForTwo(true);
  vi.stubGlobal(
    "fetch",
    vi.fn(async (_url: string, { body }: { body: URLSearchParams }) =>
      Response.json({ access_token: body.get("username"), expires_in: 300 }),
    ),
  );
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** jsdom has no `matchMedia`. */
function hasRoomForTwo(has: boolean): void {
  const query = { matches: !has, addEventListener: () => {}, removeEventListener: () => {} };
  vi.stubGlobal("matchMedia", () => query);
}

/** Have the server say how far a user has read. */
function tellRead(connection: Connection, offset: number): void {
  connection.send({ type: "notifications.read", offset, unread: 0 });
}

function show(configuration: Configuration): void {
  render(
    <StrictMode>
      <Page configuration={configuration} />
    </StrictMode>,
  );
}

/** Let four sockets in, and return alice's: of her notifications, and of her organization. */
async function alicesSockets() {
  const all = [];
  for (let count = 0; count < 4; count++) all.push(await server.established());
  const hers = all.filter(({ token }) => token === "alice");
  return ["/ws/notifications/", "/ws/events/org-1/"].map((path) =>
    hers.find((connection) => connection.path === path)!,
  ) as [Connection, Connection];
}

const listed = (person: string, list: string) =>
  within(within(screen.getByRole("region", { name: person })).getByRole("list", { name: list }));

test("what one is told, the other is not; what is read leaves the title", async () => {
  show(LAPTOP);
  const [notifications] = await alicesSockets();
  tellRead(notifications, 0);
  notifications.notify(1, "Hello");
  await waitFor(() => expect(document.title).toBe("(1) Django Channels, live"));
  expect(listed("Alice", "Notifications").getAllByRole("listitem")).toHaveLength(1);
  expect(listed("Bob", "Notifications").queryAllByRole("listitem")).toEqual([]);
  fireEvent.click(screen.getByRole("button", { name: "Mark read: Hello" }));
  const mark = { type: "notifications.read", offset: 1 };
  expect(await notifications.frames.until(({ offset }) => offset === 1)).toEqual(mark);
  tellRead(notifications, 1);
  await waitFor(() => expect(document.title).toBe("Django Channels, live"));
});

test("says in the place of an entry that it was too large, and goes on", async () => {
  show(LAPTOP);
  const [notifications, organization] = await alicesSockets();
  tellRead(notifications, 0);
  for (const connection of [notifications, organization]) connection.omit(1);
  notifications.notify(2, "Hello");
  organization.send({ type: "event", event_type: "made", data: { resource_name: "It" }, ...at(2) });
  const words = "A message of 2 MB was too large to be sent.";
  await screen.findByRole("button", { name: `Mark read: ${words}` });
  const texts = (list: string) =>
    listed("Alice", list)
      .getAllByRole("listitem")
      .map(({ textContent }) => textContent);
  await waitFor(() =>
    expect(texts("Organization feed")).toEqual([
      "madeItawait broadcast_many([org_event_for(org_id, event_type, data)]) api/consumers.py",
      words,
    ]),
  );
  await waitFor(() => expect(texts("Notifications")).toHaveLength(2));
  expect(texts("Notifications")[1]).toContain(words);
  await waitFor(() => expect(document.title).toBe("(2) Django Channels, live"));
});

test("says that messages are missing, where the server could not send them all", async () => {
  show(LAPTOP);
  const [notifications] = await alicesSockets();
  const alice = screen.getByRole("region", { name: "Alice" });
  notifications.vanish();
  const again = await server.established({ ...at(9, "second"), recovered: false });
  expect(again.token).toBe("alice");
  await within(alice).findByText(
    "Connected. Some earlier messages are missing, because the server no longer has them.",
  );
});

test("explains a close, and offers to sign in where only that helps", async () => {
  show(LAPTOP);
  const [connection] = await alicesSockets();
  vi.mocked(fetch).mockResolvedValue(
    Response.json({ error: "invalid_grant", error_description: "No." }, { status: 401 }),
  );
  connection.refuse(4001);
  // The client comes back once, after a random part of a second.
  await screen.findByRole("button", { name: "Sign in again" });
  expect(listed("Alice", "Frames").getAllByText("4001 UNAUTHORIZED")).not.toEqual([]);
});

test("where Keycloak knows one session of a browser, the page shows one", async () => {
  show({ ...LAPTOP, devrealm: null });
  await screen.findByRole("button", { name: "Sign in" });
  expect(screen.getAllByRole("region")).toHaveLength(1);
  expect(fetch).not.toHaveBeenCalled();
});

test("buttons cannot work without a connection, and say why", async () => {
  show(LAPTOP);
  const [connection] = await alicesSockets();
  const alice = within(screen.getByRole("region", { name: "Alice" }));
  const notify = alice.getByRole("button", { name: "Notify Bob" });
  await waitFor(() => expect(notify.getAttribute("aria-disabled")).toBe("false"));
  connection.refuse(4104);
  await waitFor(() => expect(notify.getAttribute("aria-disabled")).toBe("true"));
  vi.mocked(fetch).mockClear();
  fireEvent.click(notify);
  await alice.findByText("The page is not connected to the server now.");
  expect(fetch).not.toHaveBeenCalled();
});

test("where there is room for one, each person has a tab that counts what is unread", async () => {
  hasRoomForTwo(false);
  show(LAPTOP);
  const [notifications] = await alicesSockets();
  const [alice, bob] = screen.getAllByRole("tab");
  const shown = () => screen.getAllByRole("region").map((each) => each.getAttribute("aria-label"));
  expect(shown()).toEqual(["Alice"]);
  fireEvent.keyDown(alice!, { key: "ArrowRight" });
  await waitFor(() => expect(shown()).toEqual(["Bob"]));
  expect([document.activeElement, bob!.getAttribute("aria-selected")]).toEqual([bob, "true"]);
  tellRead(notifications, 0);
  notifications.notify(1, "Hello");
  await waitFor(() => expect(alice!.textContent).toBe("Alice1 unread"));
});
