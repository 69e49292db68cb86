import { useState } from "react";

import { Account } from "./account";
import { givenName } from "./causes";
import type { Configuration, Person } from "./configuration";
import { devrealmFor } from "./devrealm";
import { RenewSwitch } from "./RenewSwitch";
import { SessionCard } from "./SessionCard";
import { SignedIn } from "./SignedIn";

interface Props {
  configuration: Configuration;
  person: Person;
  other: Person;
  onChoose: (username: string) => void;
  onUnread: (count: number) => void;
}

/** Who is signed in, and the account, which is another one after each sign-in. */
interface Visit {
  number: number;
  account: Account;
}

/** One half of a laptop's page, as if it were a browser of its own. */
export function Session({ configuration, person, other, onChoose, onUnread }: Props) {
  const [visit, setVisit] = useState(() => visitOf(0, person.username));

  function visitOf(number: number, username: string): Visit {
    return { number, account: new Account(devrealmFor(configuration, username)) };
  }
  const signIn = (username: string) => {
    setVisit(({ number }) => visitOf(number + 1, username));
    onChoose(username);
  };

  const given = givenName(person.name);
  const control = (
    <>
      <RenewSwitch key={visit.number} account={visit.account} />
      <label>
        Signed in as{" "}
        <select value={person.username} onChange={({ target }) => signIn(target.value)}>
          {configuration.devrealm!.people.map(({ username }) => (
            <option key={username}>{username}</option>
          ))}
        </select>
      </label>
    </>
  );
  return (
    <SessionCard username={person.username} name={person.name} given={given} control={control}>
      <SignedIn
        key={visit.number}
        account={visit.account}
        name={given}
        other={other}
        configuration={configuration}
        signInAgain={() => signIn(person.username)}
        onUnread={onUnread}
      />
    </SessionCard>
  );
}
