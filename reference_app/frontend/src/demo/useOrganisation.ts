import { useEffect, useState } from "react";

import type { Account } from "./account";
import { request } from "./api";

/**
 * Return the organisation that a session follows: the known one, or the user's first.
 *
 * Undefined is not asked yet, null is none. Asked once a token was good for a socket.
 */
export function useOrganisation(
  account: Account,
  known: string | null,
  isConnected: boolean,
): string | null | undefined {
  const [orgId, setOrgId] = useState(known ?? undefined);
  const [hasNone, setHasNone] = useState(false);
  const isAsked = isConnected && orgId === undefined;
  useEffect(() => {
    if (!isAsked) return;
    let isOver = false;
    const answered = ({ organizations }: Record<string, unknown>) => {
      const [first] = organizations as { id: string }[];
      if (isOver) return;
      setOrgId(first?.id);
      setHasNone(!first);
    };
    // Whatever is wrong, the socket says it better; it is asked again when that is open again.
    request(account, "GET", "/api/me/organizations/").then(answered, () => {});
    return () => void (isOver = true);
  }, [account, isAsked]);
  return hasNone ? null : orgId;
}
