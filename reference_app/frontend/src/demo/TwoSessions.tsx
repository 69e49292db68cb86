import { useState } from "react";

import { givenName } from "./causes";
import type { Configuration, Person } from "./configuration";
import { Session } from "./Session";
import { Tabs } from "./Tabs";
import { useNarrow } from "./useNarrow";

interface Props {
  configuration: Configuration;
  unread: number[];
  onUnread: ((count: number) => void)[];
}

/** Two people side by side, or in tabs, where there is no room for two. */
export function TwoSessions({ configuration, unread, onUnread }: Props) {
  const [usernames, setUsernames] = useState(["alice", "bob"]);
  const [selected, select] = useState(0);
  const isNarrow = useNarrow();
  const people = usernames.map((each) => personOf(configuration, each));
  const choose = (side: number) => (username: string) =>
    setUsernames((was) => was.map((each, index) => (index === side ? username : each)));
  const tabs = people.map(({ username, name }, side) => ({
    id: String(side),
    username,
    label: givenName(name),
    unread: unread[side]!,
  }));

  return (
    <>
      {isNarrow && <Tabs tabs={tabs} selected={selected} select={select} />}
      {people.map((person, side) => (
        <div
          key={side}
          {...(isNarrow && {
            id: `panel-${side}`,
            role: "tabpanel",
            "aria-labelledby": `tab-${side}`,
            hidden: side !== selected,
          })}
        >
          <Session
            configuration={configuration}
            person={person}
            other={people[1 - side]!}
            onChoose={choose(side)}
            onUnread={onUnread[side]!}
          />
        </div>
      ))}
    </>
  );
}

function personOf({ devrealm }: Configuration, username: string): Person {
  return devrealm!.people.find((person) => person.username === username)!;
}
