import { useState } from "react";

import type { Account } from "./account";

/** Off, a token that expires takes the session with it. */
export function RenewSwitch({ account }: { account: Account }) {
  const [renews, setRenews] = useState(account.renews);
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        checked={renews}
        onChange={({ target }) => setRenews((account.renews = target.checked))}
      />
      Renew my token
    </label>
  );
}
