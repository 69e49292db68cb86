import { memo, useLayoutEffect, useRef, useState } from "react";

import { clock } from "./clock";
import { LeavingButton } from "./LeavingButton";
import { PythonLine } from "./PythonLine";
import type { TraceRow } from "./trace";

const DIRECTIONS = {
  in: { sign: "↓", word: "received on" },
  out: { sign: "↑", word: "sent on" },
  end: { sign: "×", word: "closed:" },
};

/** Pixels from its end at which a list counts as read to the end. */
const NEAR_PX = 40;

/** Everything that went over the wire, as a log: the latest last, and in view. */
export function FramesPanel({ rows, clear }: { rows: TraceRow[]; clear: () => void }) {
  const list = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    if (isAtEnd.current) list.current!.scrollTop = list.current!.scrollHeight;
  }, [rows]);
  const look = ({ scrollTop, scrollHeight, clientHeight }: HTMLElement) =>
    (isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_PX);

  return (
    <div className="panel frames">
      <header>
        <h3>Frames</h3>
        <span className="key" aria-hidden="true">
          ↓ from the server · ↑ from the page · × a socket ends
        </span>
        <LeavingButton className="quiet" disabled={rows.length === 0} onClick={clear}>
          Clear
        </LeavingButton>
      </header>
      <ol
        ref={list}
        role="list"
        aria-label="Frames"
        tabIndex={0}
        onScroll={({ currentTarget }) => look(currentTarget)}
      >
        {rows.map((row) => (
          <Row key={row.key} row={row} />
        ))}
      </ol>
    </div>
  );
}

const Row = memo(function Row({ row }: { row: TraceRow }) {
  const [isOpen, setIsOpen] = useState(false);
  if (!row.frame) {
    return (
      <li className="end">
        <Line row={row} />
        {row.python && <PythonLine {...row.python} />}
      </li>
    );
  }
  return (
    <li className={row.direction}>
      <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary>
          <Line row={row} />
        </summary>
        {isOpen && <pre>{JSON.stringify(row.frame, null, 2)}</pre>}
      </details>
    </li>
  );
});

function Line({ row: { direction, socket, type, short, offset, at } }: { row: TraceRow }) {
  const { sign, word } = DIRECTIONS[direction];
  return (
    <span className="line">
      <span className="direction" aria-hidden="true">
        {sign}
      </span>
      <span className="unseen">{word} </span>
      <span className="socket">{socket}</span> <code>{type}</code>{" "}
      <span className="short">{short}</span>{" "}
      {offset !== null && (
        <span className="offset">
          <span className="unseen">offset </span>
          <span aria-hidden="true">#</span>
          {offset}
        </span>
      )}{" "}
      <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
    </span>
  );
}
