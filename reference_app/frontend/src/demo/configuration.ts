/** Someone who can sign in without a form. */
export interface Person {
  username: string;
  name: string;
}

/** What the server tells the page in a block of data; see `demo/pages.py`. */
export interface Configuration {
  issuer: string;
  clientId: string;
  /** What only a laptop has; null where a real Keycloak signs the tokens. */
  devrealm: {
    /** Relative to the page. */
    tokenEndpoint: string;
    orgId: string;
    people: Person[];
    canRestart: boolean;
  } | null;
}

export function readConfiguration(): Configuration {
  return JSON.parse(document.getElementById("configuration")!.textContent!);
}
