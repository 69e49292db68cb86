import { vi } from "vitest";

import type { Configuration } from "../../src/demo/configuration";

export const ISSUER = "https://id.example/realms/demo";
export const PAGE = "http://localhost:3000/";
export const CONFIGURATION: Configuration = { issuer: ISSUER, clientId: "web", devrealm: null };

const PATHS = `${ISSUER}/protocol/openid-connect`;
export const PUSH = `${PATHS}/ext/par/request`;
export const TOKEN = `${PATHS}/token`;
export const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;

/** An answer, or what a browser tells a page that gets none. */
type Answer = () => Response;
export const nothing: Answer = () => {
  throw new TypeError("Failed to fetch");
};
export const refused = (status: number, error_description: string): Answer => {
  return () => Response.json({ error: "invalid", error_description }, { status });
};

/** Keycloak in place of the network: its answers by address, and what it was asked. */
export class FakeKeycloak {
  readonly asked: { url: string; form: URLSearchParams }[] = [];
  readonly answers: Record<string, Answer> = {
    [DISCOVERY]: () =>
      Response.json({ issuer: ISSUER, pushed_authorization_request_endpoint: PUSH }),
    [PUSH]: () => Response.json({ request_uri: "urn:…", expires_in: 60 }, { status: 201 }),
    [TOKEN]: () => Response.json(this.tokens()),
  };
  nonce = "";
  lifespan = 300;
  /** Seconds that its clock is ahead of the browser's. */
  ahead = 0;
  private count = 0;

  constructor() {
    vi.stubGlobal(
      "fetch",
      vi.fn(async (url: string, { body }: { body?: URLSearchParams } = {}) => {
        this.asked.push({ url, form: body ?? new URLSearchParams() });
        return (this.answers[url] ?? nothing)();
      }),
    );
  }

  /** Return the forms that one address was sent. */
  sentTo(url: string): URLSearchParams[] {
    return this.asked.filter((each) => each.url === url).map(({ form }) => form);
  }

  private tokens(): object {
    const iat = Math.floor(Date.now() / 1_000) + this.ahead;
    const common = { iat, exp: iat + this.lifespan, sub: "a11ce", number: (this.count += 1) };
    const person = { preferred_username: "alice", name: "Alice Archer", nonce: this.nonce };
    return {
      access_token: encoded(common),
      refresh_token: encoded(common),
      id_token: encoded({ ...common, ...person }),
    };
  }
}

function encoded(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`;
}

/** Return which of the tokens this is, the first one being 1. */
export function numberOf(token: string): number {
  return JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()).number;
}

/** The adapter needs what browsers have since 2024, and Node since version 22. */
export function completePromise(): void {
  const promise = Promise as unknown as Record<string, unknown>;
  promise.withResolvers ??= () => {
    const parts: Record<string, unknown> = {};
    parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
    return parts;
  };
}
