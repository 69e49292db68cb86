import { afterEach, expect, test, vi } from "vitest";

import { addressOf } from "../../src/demo/address";

afterEach(() => vi.unstubAllGlobals());

test.each([
  ["http://127.0.0.1:8000/", "http://127.0.0.1:8000/api/me/"],
  ["http://127.0.0.1:8000/?state=1#top", "http://127.0.0.1:8000/api/me/"],
  ["https://hub.test/user/alice/proxy/8123/", "https://hub.test/user/alice/proxy/8123/api/me/"],
])("an address begins where the page %s is", (href, address) => {
  vi.stubGlobal("location", { href });
  expect(addressOf("/api/me/")).toBe(address);
});
