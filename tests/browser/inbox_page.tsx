// A page of nothing but an inbox, for test_inbox.py: who is signed in is set by `signIn`.
import { StrictMode, useLayoutEffect, useState } from "react";
import { createRoot } from "react-dom/client";

import { useNotifications } from "./src/react";

const page = window as any;

/** Whose page it was in each rendering, and the titles that it listed. */
page.shown = [];
/** How often an entry was listed twice at the same time. */
page.doubles = 0;

function Inbox({ user }: { user: string }) {
  const token = async () => page.tokens[user];
  const inbox = useNotifications({ user, token, since: "start", limit: 2_000 });
  const titles = inbox.notifications.map((item) => String(!item.omitted && item.title));
  useLayoutEffect(() => {
    page.inbox = inbox;
    page.shown.push([user, titles]);
    if (new Set(titles).size < titles.length) page.doubles += 1;
  });
  return (
    <main>
      <h1>{user}</h1>
      <output>{inbox.unread === null ? "not known" : `${inbox.unread} unread`}</output>
      <ul>
        {inbox.notifications.map((item) => (
          <li key={item.key} className={item.offset > (inbox.read ?? 0) ? "unread" : "read"}>
            {!item.omitted && item.title}
          </li>
        ))}
      </ul>
    </main>
  );
}

function Page() {
  const [user, signIn] = useState("alice");
  page.signIn = signIn;
  return <Inbox user={user} />;
}

document.body.innerHTML = "<div></div>";
createRoot(document.body.firstElementChild!).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
