import { useLayoutEffect, useState } from "react";

const TICK_MS = 250;

/** Return the time, kept current while somebody counts on it. */
export function useNow(isRunning: boolean): number {
  const [now, setNow] = useState(Date.now);
  // Before anybody sees it: the time of the last rendering may be long ago.
  useLayoutEffect(() => {
    if (!isRunning) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}
