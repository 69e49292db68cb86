import { useState } from "react";

import { Account } from "./account";
import type { Configuration, Person } from "./configuration";
import { type Credentials, issuerFor } from "./issuer";
import { SignedIn } from "./SignedIn";
import { SignInForm } from "./SignInForm";

interface Props {
  configuration: Configuration;
  side: string;
  startsAs: string;
  onUnread: (count: number) => void;
}

/** Who is signed in, and the account, which is another one after each sign-in. */
interface Visit {
  number: number;
  name: string;
  credentials: Credentials;
  account: Account;
}

/** One half of the page, as if it were a browser of its own. */
export function Session({ configuration, side, startsAs, onUnread }: Props) {
  const people = configuration.devrealm?.people ?? [];
  const [visit, setVisit] = useState(() => {
    const person = people.find(({ username }) => username === startsAs);
    return person ? visitOf(0, person.name, passwordOf(person)) : null;
  });

  function visitOf(number: number, name: string, credentials: Credentials): Visit {
    const account = new Account(issuerFor(configuration, credentials));
    return { number, name, credentials, account };
  }
  const signIn = (name: string, credentials: Credentials) =>
    setVisit((was) => visitOf((was?.number ?? 0) + 1, name, credentials));
  const choose = (username: string) => {
    const person = people.find((each) => each.username === username)!;
    signIn(person.name, passwordOf(person));
  };

  const [given = side] = visit?.name.split(" ") ?? [];
  return (
    <section className="session" aria-label={given} data-person={visit?.credentials.username}>
      <header>
        <span className="avatar" aria-hidden="true">
          {given.charAt(0)}
        </span>
        <h2>{visit?.name ?? side}</h2>
        {visit && people.length > 0 && (
          <label>
            Signed in as{" "}
            <select
              value={visit.credentials.username}
              onChange={({ target }) => choose(target.value)}
            >
              {people.map(({ username }) => (
                <option key={username}>{username}</option>
              ))}
            </select>
          </label>
        )}
        {visit && people.length === 0 && <button onClick={() => setVisit(null)}>Sign out</button>}
      </header>
      {visit ? (
        <SignedIn
          key={visit.number}
          account={visit.account}
          name={given}
          configuration={configuration}
          signInAgain={() =>
            people.length > 0 ? signIn(visit.name, visit.credentials) : setVisit(null)
          }
          onUnread={onUnread}
        />
      ) : (
        <SignInForm signIn={(credentials) => signIn(credentials.username, credentials)} />
      )}
    </section>
  );
}

/** The stand-in's passwords are its usernames. */
function passwordOf({ username }: Person): Credentials {
  return { username, password: username };
}
