/** What a page tells its sockets. */
export interface PageListener {
  /** The machine has a network again. */
  online(): void;
  /** It has none. */
  offline(): void;
  /** The page is looked at again, perhaps after sleep. */
  visible(): void;
}

/** Whether the browser has a network; without one it still reaches a server on its machine. */
export function isOnline(): boolean {
  return globalThis.navigator?.onLine !== false;
}

/** Tell a listener what happens to the page, until the function that is returned is called. */
export function watchPage(listener: PageListener): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  globalThis.addEventListener?.("online", () => listener.online(), { signal });
  globalThis.addEventListener?.("offline", () => listener.offline(), { signal });
  const seen = () => document.visibilityState === "visible" && listener.visible();
  globalThis.document?.addEventListener("visibilitychange", seen, { signal });
  return () => ended.abort();
}
