import { memo, useState } from "react";

import { clock } from "./clock";
import { LeavingButton } from "./LeavingButton";
import type { TraceRow } from "./trace";

const DIRECTIONS = {
  in: { sign: "↓", word: "received on" },
  out: { sign: "↑", word: "sent on" },
  end: { sign: "×", word: "closed:" },
};

/** Everything that went over the wire, the latest first. */
export function FramesPanel({ rows, clear }: { rows: TraceRow[]; clear: () => void }) {
  return (
    <div className="panel frames">
      <header>
        <h3>Frames</h3>
        <LeavingButton className="quiet" disabled={rows.length === 0} onClick={clear}>
          Clear
        </LeavingButton>
      </header>
      <ol role="list" aria-label="Frames" tabIndex={0}>
        {[...rows].reverse().map((row) => (
          <Row key={row.key} row={row} />
        ))}
      </ol>
    </div>
  );
}

const Row = memo(function Row({ row }: { row: TraceRow }) {
  const [isOpen, setIsOpen] = useState(false);
  const { sign, word } = DIRECTIONS[row.direction];
  const line = (
    <>
      <span className="direction" aria-hidden="true">
        {sign}
      </span>
      <span className="unseen">{word} </span>
      <span className="socket">{row.socket}</span> <code>{row.type}</code>
      {row.offset !== null && <span className="offset"> offset {row.offset}</span>}
      {row.isRecovered && <span className="offset"> recovered</span>}
      <time dateTime={new Date(row.at).toISOString()}>{clock(row.at)}</time>
    </>
  );
  if (typeof row.detail === "string") {
    return (
      <li className="end">
        <div className="line">{line}</div>
        <p>{row.detail}</p>
      </li>
    );
  }
  return (
    <li className={row.direction}>
      <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary className="line">{line}</summary>
        {isOpen && <pre>{JSON.stringify(row.detail, null, 2)}</pre>}
      </details>
    </li>
  );
});
