import type { RefObject } from "react";

import type { Listed } from "./inbox";
import { LeavingButton } from "./LeavingButton";
import { Summary } from "./Summary";

interface Props {
  region: RefObject<HTMLDivElement | null>;
  toasts: Listed[];
  more: number;
  close: () => void;
}

/** What has just come; the region is always there, or no screen reader would notice what enters. */
export function Toasts({ region, toasts, more, close }: Props) {
  return (
    <div className="toasts" ref={region}>
      <div aria-live="polite">
        {toasts.map((item) => (
          <div key={item.key} className="toast" data-testid="toast">
            <Summary item={item} />
          </div>
        ))}
        {toasts.length > 0 && (
          <p className="more">{more > 0 && `and ${more.toLocaleString("en")} more`}</p>
        )}
      </div>
      {toasts.length > 0 && (
        <LeavingButton className="quiet" onClick={close}>
          Dismiss
        </LeavingButton>
      )}
    </div>
  );
}
