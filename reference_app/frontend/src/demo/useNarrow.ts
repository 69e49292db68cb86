import { useSyncExternalStore } from "react";

/** As in demo.css: below this there is no room for two people side by side. */
const NARROW = "(max-width: 50rem)";

/** Return whether the page has room for one person only. */
export function useNarrow(): boolean {
  return useSyncExternalStore(watch, () => matchMedia(NARROW).matches);
}

function watch(changed: () => void): () => void {
  const query = matchMedia(NARROW);
  query.addEventListener("change", changed);
  return () => query.removeEventListener("change", changed);
}
