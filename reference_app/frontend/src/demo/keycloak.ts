import type Keycloak from "keycloak-js";
import type { KeycloakConfig } from "keycloak-js";

import { Account } from "./account";
import type { Configuration } from "./configuration";
import { type Grant, GrantRefusedError } from "./issuer";
import { checkSettings, pushEndpoint, SettingError } from "./settings";

/** Whoever has signed in. */
export interface Visitor {
  username: string;
  name: string;
  account: Account;
}

/**
 * A realm of Keycloak, where people sign in by authorization code and PKCE (RFC 9700, 2.1.1).
 *
 * Tokens are in the adapter's memory and nowhere else, so a page that is loaded again has none. The
 * browser leaves it only when somebody asks for that: whatever is set wrong, there is no loop.
 */
export class Realm {
  private readonly page: URL;
  private readonly loaded: Promise<void>;
  private keycloak!: Keycloak;
  private arrival: Promise<Visitor | null> | null = null;

  constructor(private readonly configuration: Configuration) {
    this.page = new URL(new URL(location.href).pathname, location.href);
    this.loaded = this.load();
  }

  /** Return who has come back from Keycloak with a code, if anyone has. */
  arrive(): Promise<Visitor | null> {
    // A code is good for one time, and a component may be mounted twice.
    return (this.arrival ??= this.redeem());
  }

  /** Leave for Keycloak, once it is known who arrived; does not return but by throwing. */
  async signIn(): Promise<void> {
    if (!isSecureContext) {
      throw new SettingError(
        "Keycloak needs a page that is secure: open it by https or localhost.",
      );
    }
    await this.loaded;
    await checkSettings(this.configuration, this.page);
    await this.keycloak.login({ redirectUri: this.page.href });
  }

  /** End the session, of all its pages, and come back. */
  async signOut(): Promise<void> {
    await pushEndpoint(this.configuration.issuer);
    await this.keycloak.logout({ redirectUri: this.page.href });
  }

  /** Load the adapter, which is a file of its own, because a page of devrealm needs none. */
  private async load(): Promise<void> {
    const { default: Adapter } = await import("keycloak-js").catch(() => {
      throw new Error("The part of the page that signs in at Keycloak is missing: load it again.");
    });
    this.keycloak = new Adapter(pathsOf(this.configuration));
  }

  private async redeem(): Promise<Visitor | null> {
    await this.loaded;
    try {
      // The iframe it would check the session with needs third-party cookies, which browsers block.
      const isSignedIn = await this.keycloak.init({ checkLoginIframe: false });
      return isSignedIn ? this.visitor() : null;
    } catch (thrown) {
      await checkSettings(this.configuration, this.page);
      throw new SettingError(`Keycloak signed nobody in: ${wordsOf(thrown)}`);
    }
  }

  private visitor(): Visitor {
    const { preferred_username: username = "", name = username } = this.keycloak.idTokenParsed!;
    return { username, name, account: new Account(() => this.renew(), this.grant()) };
  }

  private async renew(): Promise<Grant> {
    try {
      await this.keycloak.updateToken(-1);
      return this.grant();
    } catch (error) {
      if (this.isRefused(error)) throw new GrantRefusedError("The session at Keycloak has ended.");
      throw new Error("Keycloak is out of reach.", { cause: error });
    }
  }

  /** Whether Keycloak said no: to the session, whose tokens the adapter dropped, or the client. */
  private isRefused(error: unknown): boolean {
    const { response } = error as { response?: Response };
    return !this.keycloak.refreshToken || response?.status === 401;
  }

  private grant(): Grant {
    const { token, tokenParsed, timeSkew } = this.keycloak;
    return { token: token!, expiresAt: (tokenParsed!.exp! + (timeSkew ?? 0)) * 1_000 };
  }
}

/** Return what the adapter has to know: with Keycloak's paths, so that it need not ask for them. */
function pathsOf({ issuer, clientId }: Configuration): KeycloakConfig {
  const endpoint = (name: string) => `${issuer}/protocol/openid-connect/${name}`;
  const oidcProvider = {
    authorization_endpoint: endpoint("auth"),
    token_endpoint: endpoint("token"),
    end_session_endpoint: endpoint("logout"),
  };
  return { clientId, oidcProvider };
}

/** The adapter throws errors, and what Keycloak put into the address. */
function wordsOf(thrown: unknown): string {
  const { error_description, error, message } = thrown as Record<string, string | undefined>;
  return error_description ?? error ?? message ?? String(thrown);
}
