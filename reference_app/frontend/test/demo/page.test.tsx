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
  vi.stubGlobal("location", { href: server.url.replace("ws:", "http:") });
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

function show(configuration: Configuration): void {
  render(
    <StrictMode>
      <Page configuration={configuration} />
    </StrictMode>,
  );
}

/** Let four sockets in, and return that of alice's notifications. */
async function alicesNotifications() {
  const all = [];
  for (let count = 0; count < 4; count++) all.push(await server.established());
  return all.find(({ token, path }) => token === "alice" && path === "/ws/notifications/")!;
}

const listed = (person: string, list: string) =>
  within(within(screen.getByRole("region", { name: person })).getByRole("list", { name: list }));

test("what one is told, the other is not; what is read leaves the title", async () => {
  show(LAPTOP);
  (await alicesNotifications()).notify(1, "Hello");
  await waitFor(() => expect(document.title).toBe("(1) Django Channels, live"));
  expect(listed("Alice", "Notifications").getAllByRole("listitem")).toHaveLength(1);
  expect(listed("Bob", "Notifications").queryAllByRole("listitem")).toEqual([]);
  fireEvent.click(screen.getByRole("button", { name: "Mark read: Hello" }));
  await waitFor(() => expect(document.title).toBe("Django Channels, live"));
});

test("explains a close, and offers to sign in where only that helps", async () => {
  show(LAPTOP);
  const connection = await alicesNotifications();
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
