import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

import { server, useServer } from "../client";

/** Render hooks in each test of a file, before a server to which the page belongs. */
export function useHooks(): void {
  useServer();
  // Of a machine under load.
  configure({ asyncUtilTimeout: 10_000 });
  beforeEach(() => {
    // Frames come from a network, not from what a test does.
    (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;
    vi.stubGlobal("location", { href: server.url.replace("ws:", "http:") });
  });
  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
  });
}
