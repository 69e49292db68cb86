import { useEffect, useState } from "react";

import type { Configuration } from "./configuration";
import { KeycloakSession } from "./KeycloakSession";
import { Session } from "./Session";

const TITLE = "Django Channels, live";

/** Two sessions side by side; or one, where a real Keycloak knows one for each browser. */
export function Page({ configuration }: { configuration: Configuration }) {
  const [left, onLeft] = useState(0);
  const [right, onRight] = useState(0);
  const unread = left + right;
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) ${TITLE}` : TITLE;
  }, [unread]);

  return (
    <>
      <header className="page">
        <h1>{TITLE}</h1>
        <p>{configuration.devrealm ? FOR_TWO : FOR_ONE}</p>
      </header>
      <main>
        {configuration.devrealm ? (
          <>
            <Session configuration={configuration} startsAs="alice" onUnread={onLeft} />
            <Session configuration={configuration} startsAs="bob" onUnread={onRight} />
          </>
        ) : (
          <KeycloakSession configuration={configuration} onUnread={onLeft} />
        )}
      </main>
    </>
  );
}

const FOR_TWO =
  "Two people, four WebSockets, one server. A notification reaches one of them; an event reaches " +
  "every member of the organization. Break something, and watch what the clients do.";

const FOR_ONE =
  "One person, two WebSockets, one server. A browser has one session at Keycloak: sign in as " +
  "somebody else in a private window, and place it beside this one.";
