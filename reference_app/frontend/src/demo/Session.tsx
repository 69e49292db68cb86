import { useState } from "react";

import { Account } from "./account";
import type { Configuration } from "./configuration";
import { devrealmFor } from "./devrealm";
import { givenName, SessionCard } from "./SessionCard";
import { SignedIn } from "./SignedIn";

interface Props {
  configuration: Configuration;
  startsAs: string;
  onUnread: (count: number) => void;
}

/** Who is signed in, and the account, which is another one after each sign-in. */
interface Visit {
  number: number;
  username: string;
  account: Account;
}

/** One half of a laptop's page, as if it were a browser of its own. */
export function Session({ configuration, startsAs, onUnread }: Props) {
  const { people } = configuration.devrealm!;
  const [visit, setVisit] = useState(() => visitOf(0, startsAs));

  function visitOf(number: number, username: string): Visit {
    return { number, username, account: new Account(devrealmFor(configuration, username)) };
  }
  const signIn = (username: string) => setVisit((was) => visitOf(was.number + 1, username));

  const { name } = people.find(({ username }) => username === visit.username)!;
  const given = givenName(name);
  const choice = (
    <label>
      Signed in as{" "}
      <select value={visit.username} onChange={({ target }) => signIn(target.value)}>
        {people.map(({ username }) => (
          <option key={username}>{username}</option>
        ))}
      </select>
    </label>
  );
  return (
    <SessionCard username={visit.username} name={name} given={given} control={choice}>
      <SignedIn
        key={visit.number}
        account={visit.account}
        name={given}
        configuration={configuration}
        signInAgain={() => signIn(visit.username)}
        onUnread={onUnread}
      />
    </SessionCard>
  );
}
