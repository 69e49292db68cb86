import { useEffect, useState } from "react";

import type { Configuration } from "./configuration";
import { Session } from "./Session";

const TITLE = "Django Channels, live";

/** Two sessions side by side: what one is told, the other is not. */
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
        <p>
          Two people, four WebSockets, one server. A notification reaches one of them; an event
          reaches every member of the organisation. Break something, and watch the clients recover.
        </p>
      </header>
      <main>
        <Session configuration={configuration} side="Left" startsAs="alice" onUnread={onLeft} />
        <Session configuration={configuration} side="Right" startsAs="bob" onUnread={onRight} />
      </main>
    </>
  );
}
