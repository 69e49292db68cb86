import { useEffect, useState } from "react";

import { givenName } from "./causes";
import type { Configuration } from "./configuration";
import { Realm, type Visitor } from "./keycloak";
import { SessionCard } from "./SessionCard";
import { SignedIn } from "./SignedIn";

interface Props {
  configuration: Configuration;
  onUnread: (count: number) => void;
}

/** The one session that a browser has at a realm. */
export function KeycloakSession({ configuration, onUnread }: Props) {
  const [realm] = useState(() => new Realm(configuration));
  // Undefined until it is known whether anybody has come back from Keycloak.
  const [visitor, setVisitor] = useState<Visitor | null>();
  const [problem, setProblem] = useState("");

  const attempt = (leaving: () => Promise<void>) => {
    // What is said again is read out again.
    setProblem("");
    leaving().catch((error: Error) => setProblem(error.message));
  };
  const signIn = () => attempt(() => realm.signIn());
  const signOut = () => attempt(() => realm.signOut());
  useEffect(() => {
    const failed = (error: Error) => {
      setVisitor(null);
      setProblem(error.message);
    };
    void realm.arrive().then(setVisitor, failed);
  }, [realm]);

  const alert = problem && (
    <p className="notice" role="alert">
      {problem}
    </p>
  );
  if (!visitor) {
    return (
      <section className="session signed-out" aria-label="Sign in">
        <h2>{visitor === null ? "Nobody is signed in" : "Asks Keycloak who you are …"}</h2>
        {alert}
        {visitor === null && (
          <button className="primary" onClick={signIn}>
            Sign in
          </button>
        )}
      </section>
    );
  }
  const { username, name, account } = visitor;
  const given = givenName(name);
  const exit = <button onClick={signOut}>Sign out</button>;
  return (
    <SessionCard username={username} name={name} given={given} control={exit}>
      {alert}
      <SignedIn
        account={account}
        name={given}
        other={null}
        configuration={configuration}
        signInAgain={signIn}
        onUnread={onUnread}
      />
    </SessionCard>
  );
}
