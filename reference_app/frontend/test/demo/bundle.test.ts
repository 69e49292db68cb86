// @vitest-environment node
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

const built = (name: string) =>
  readFileSync(new URL(`../../../api/static/api/${name}`, import.meta.url));

test("the page has less than 90 KB, compressed, React included", () => {
  expect(gzipSync(built("demo.js")).length).toBeLessThan(90_000);
  expect(gzipSync(built("demo.css")).length).toBeLessThan(4_000);
});
