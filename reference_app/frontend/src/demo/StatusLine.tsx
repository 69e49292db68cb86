import type { ErrorFrame, Status } from "../realtime";
import { useNow } from "./useNow";
import { MISSED, wordingOf } from "./wording";

interface Props {
  status: Status;
  error: Error | ErrorFrame | null;
  /** Whether the server could not send all that came while the client was away. */
  hasGap: boolean;
  of: string;
}

/** What one socket does, in plain words, and its latest complaint. */
export function StatusLine({ status, error, hasGap, of }: Props) {
  const now = useNow(status.state === "waiting");
  const complaint = error?.message ?? (hasGap ? MISSED : undefined);
  const { tone, text, countdown } = wordingOf(status, now, complaint);
  return (
    <p className={`status ${tone}`} data-state={status.state}>
      <span className="dot" aria-hidden="true" />
      <span role="status">
        <span className="unseen">{of}: </span>
        {text}
      </span>
      {countdown && <span className="countdown">{countdown}</span>}
    </p>
  );
}
