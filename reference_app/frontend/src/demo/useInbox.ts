import { type RefObject, useCallback, useEffect, useReducer } from "react";

import type { NotificationItem } from "../react";
import type { Place } from "../realtime";
import { EMPTY, type Inbox, inboxAfter } from "./inbox";

/** How long toasts stay when nothing more comes. */
const TOASTS_MS = 6_000;

/**
 * Follow what is read of a list of notifications, and what is new enough for a toast.
 *
 * Toasts that the pointer or the focus is on stay (WCAG 2.2.1): `region` is where they are.
 */
export function useInbox(
  items: NotificationItem[],
  region: RefObject<HTMLElement | null>,
): Inbox & {
  established: (at: Place) => void;
  markRead: (key: string) => void;
  markAllRead: () => void;
  endToasts: () => void;
} {
  const [inbox, dispatch] = useReducer(inboxAfter, EMPTY);
  useEffect(() => dispatch({ type: "listed", items }), [items]);

  useEffect(() => {
    if (inbox.toasts.length === 0) return;
    const timer = setInterval(() => {
      if (!region.current?.matches(whereSomebodyIs())) dispatch({ type: "toasts over" });
    }, TOASTS_MS);
    return () => clearInterval(timer);
  }, [inbox.toasts, inbox.more, region]);

  return {
    ...inbox,
    established: (at) => dispatch({ type: "established", at }),
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
