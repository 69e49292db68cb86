import { useRef, useState } from "react";

import type { Account } from "./account";
import type { Cause } from "./causes";

interface Props {
  account: Account;
  causes: { sending: Cause[]; breaking: Cause[] };
}

const NONE = { text: "", failed: false };

/** The buttons that make something happen, and what came of the last one. */
export function Actions({ account, causes }: Props) {
  const [outcome, setOutcome] = useState(NONE);
  const presses = useRef(0);
  const run = ({ act }: Cause) => {
    const press = (presses.current += 1);
    const tell = (text: string, failed: boolean) => {
      if (press === presses.current) setOutcome({ text, failed });
    };
    setOutcome(NONE); // what comes again is read out again
    void act().then(
      (text) => tell(text, false),
      (error: Error) => tell(error.message, true),
    );
  };

  return (
    <div className="actions">
      <div className="buttons" role="group" aria-label="Send something">
        {causes.sending.map((cause, place) => (
          <button key={place} className="primary" onClick={() => run(cause)}>
            {cause.label}
          </button>
        ))}
      </div>
      {causes.breaking.length > 0 && (
        <div className="buttons" role="group" aria-label="Break something">
          {/* By its place: a button that turns into its opposite keeps the focus. */}
          {causes.breaking.map((cause, place) => (
            <button key={place} onClick={() => run(cause)}>
              {cause.label}
            </button>
          ))}
          <RenewSwitch account={account} />
        </div>
      )}
      <p role="status" className={outcome.failed ? "outcome failed" : "outcome"}>
        {outcome.text}
      </p>
    </div>
  );
}

/** Off, a token that expires takes the session with it. */
function RenewSwitch({ account }: { account: Account }) {
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
