import { useEffect, useState } from "react";

import type { Configuration } from "./configuration";
import { KeycloakSession } from "./KeycloakSession";
import { Legend } from "./Legend";
import { TwoSessions } from "./TwoSessions";

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
        <div>
          <h1>{TITLE}</h1>
          <p>{configuration.devrealm ? FOR_TWO : FOR_ONE}</p>
        </div>
        <Legend />
      </header>
      <main className={configuration.devrealm ? "two" : "one"}>
        {configuration.devrealm ? (
          <TwoSessions
            configuration={configuration}
            unread={[left, right]}
            onUnread={[onLeft, onRight]}
          />
        ) : (
          <KeycloakSession configuration={configuration} onUnread={onLeft} />
        )}
      </main>
    </>
  );
}

const FOR_TWO = "Two people, two WebSockets each, one server. Press a button and watch both sides.";

const FOR_ONE =
  "One person, two WebSockets, one server. A browser has one session at Keycloak: sign in as " +
  "somebody else in a private window, and place it beside this one.";
