import { afterEach, beforeEach, vi } from "vitest";

import { type ClientEvents, type ClientOptions, RealtimeClient } from "../src/realtime";
import type { Status } from "../src/realtime";
import { Inbox } from "./inbox";
import { Server } from "./server";

/** The server of the running test. */
export let server: Server;

const clients: RealtimeClient[] = [];

/** Give each test a server, and leave nothing open after it. */
export function useServer(): void {
  beforeEach(async () => {
    server = await Server.start();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await server.stop();
  });
}

/** A client under test, with all that it tells. */
export class Watched {
  readonly statuses = new Inbox<Status>();
  readonly client: RealtimeClient;

  constructor(client: RealtimeClient) {
    this.client = client;
    client.on("status", this.statuses.put);
    clients.push(client);
  }

  /** Wait until the client is in a state, and return its status. */
  async is<State extends Status["state"]>(state: State) {
    const status = await this.statuses.until((each) => each.state === state);
    return status as Extract<Status, { state: State }>;
  }

  /** Collect what the client tells of one kind. */
  inbox<Name extends keyof ClientEvents>(name: Name): Inbox<ClientEvents[Name]> {
    const inbox = new Inbox<ClientEvents[Name]>();
    this.client.on(name, (...args) => inbox.put(args));
    return inbox;
  }
}

/** Open a client of the server that comes back at once, unless a test says otherwise. */
export function open(options: Partial<ClientOptions> = {}): Watched {
  const watched = create(options);
  watched.client.open();
  return watched;
}

/** Make a client, and do not open it yet. */
export function create(options: Partial<ClientOptions> = {}): Watched {
  const token = async () => "token-1";
  return new Watched(new RealtimeClient({ url: server.url, token, random: () => 0, ...options }));
}

/** Wait until another client has come and was let in: whoever wanted to come has come before. */
export async function afterAnotherClientCame(): Promise<void> {
  const other = open();
  await server.established();
  await other.is("open");
}

/** A provider that gives tokens in turn, and remembers what it was asked. */
export function provider(...tokens: (string | Error)[]) {
  return vi.fn(async (_reason: string) => {
    const token = tokens.shift() ?? "token-last";
    if (token instanceof Error) throw token;
    return token;
  });
}
