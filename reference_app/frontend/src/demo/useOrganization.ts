import { useEffect, useState } from "react";

import type { Account } from "./account";
import { request } from "./api";

/** How long until it is asked again. */
const PAUSE_MS = 5_000;

/**
 * Return the organization that a session follows: the known one, or the user's first.
 *
 * Undefined is not asked yet, null is none. Asked once a token was good for a socket.
 */
export function useOrganization(
  account: Account,
  known: string | null,
  isConnected: boolean,
): string | null | undefined {
  const [orgId, setOrgId] = useState<string | null | undefined>(known ?? undefined);
  const [tries, setTries] = useState(0);
  const isAsked = isConnected && !orgId;
  useEffect(() => {
    if (!isAsked) return;
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const answered = ({ organizations }: Record<string, unknown>) => {
      const [first] = organizations as { id: string }[];
      if (!isOver) setOrgId(first?.id ?? null);
    };
    const failed = () => {
      if (!isOver) timer = setTimeout(() => setTries(tries + 1), PAUSE_MS);
    };
    request(account, "GET", "/api/me/organizations/").then(answered, failed);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [account, isAsked, tries]);
  return orgId;
}
