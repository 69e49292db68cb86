import { type RefObject, useCallback, useEffect, useReducer } from "react";

import { EMPTY, type Inbox, inboxAfter, type Listed } from "./inbox";

/** How long toasts stay when nothing more comes. */
const TOASTS_MS = 6_000;

/**
 * Follow what is read of a list of notifications, and what is new enough for a toast.
 *
 * Toasts that the pointer or the focus is on stay (WCAG 2.2.1): `region` is where they are.
 */
export function useInbox(
  items: Listed[],
  arrived: number,
  region: RefObject<HTMLElement | null>,
): Inbox & {
  markRead: (key: string) => void;
  markAllRead: () => void;
  endToasts: () => void;
} {
  const [inbox, dispatch] = useReducer(inboxAfter, EMPTY);
  useEffect(() => dispatch({ type: "listed", items, arrived }), [items, arrived]);

  useEffect(() => {
    if (inbox.toasts.length === 0) return;
    const timer = setInterval(() => {
      if (!region.current?.matches(whereSomebodyIs())) dispatch({ type: "toasts over" });
    }, TOASTS_MS);
    return () => clearInterval(timer);
  }, [inbox.toasts, inbox.more, region]);

  return {
    ...inbox,
    // The same in each rendering, for rows that are rendered once.
    markRead: useCallback((key) => dispatch({ type: "read", key }), []),
    markAllRead: () => dispatch({ type: "all read", items }),
    endToasts: () => dispatch({ type: "toasts over" }),
  };
}

/** Return what selects an element that somebody is at; a finger leaves its `:hover` behind. */
function whereSomebodyIs(): string {
  return matchMedia("(hover: hover)").matches ? ":hover, :focus-within" : ":focus-within";
}
