import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Its WebSocket is a browser's, over a real network.
    environment: "jsdom",
    include: ["test/**/*.test.{ts,tsx}"],
    maxWorkers: 2,
    restoreMocks: true,
    // Of a machine under load; a page with four sockets takes jsdom seconds.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
