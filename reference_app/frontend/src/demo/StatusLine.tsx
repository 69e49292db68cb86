import type { ErrorFrame, Status } from "../realtime";
import { useNow } from "./useNow";
import { wordingOf } from "./wording";

interface Props {
  status: Status;
  error: Error | ErrorFrame | null;
  of: string;
}

/** What one socket does, in plain words, and its latest complaint. */
export function StatusLine({ status, error, of }: Props) {
  const now = useNow(status.state === "waiting");
  const { tone, text, countdown } = wordingOf(status, now, error?.message);
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
