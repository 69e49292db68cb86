import { useCallback, useEffect, useRef, useState } from "react";

import { History, lastOf } from "../react/history";
import type { NewRow, TraceRow } from "./trace";

/** Lines that are kept, the latest ones. */
export const MOST_ROWS = 100;

let count = 0;

/** Keep the latest lines of the live view; many at once cost one rendering. */
export function useTrace(): [rows: TraceRow[], add: (row: NewRow) => void, clear: () => void] {
  const [rows, setRows] = useState<TraceRow[]>([]);
  const history = useRef<History<TraceRow> | null>(null);
  useEffect(() => {
    const current = new History<TraceRow>(MOST_ROWS, (arrived) =>
      setRows((was) => lastOf([...was, ...arrived], MOST_ROWS)),
    );
    history.current = current;
    return () => current.clear();
  }, []);
  const add = useCallback((row: NewRow) => {
    count += 1;
    history.current?.add({ ...row, key: String(count), at: Date.now() });
  }, []);
  const clear = useCallback(() => setRows([]), []);
  return [rows, add, clear];
}
