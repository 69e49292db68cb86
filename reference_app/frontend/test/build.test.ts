// @vitest-environment node
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { expect, test } from "vitest";

// @ts-expect-error: a script without types
import { options } from "../build.mjs";

async function built(): Promise<Map<string, string>> {
  const { outputFiles } = await build({ ...options(), write: false });
  return new Map(outputFiles!.map(({ path, text }) => [path, text]));
}

test("two builds are the same, and the committed files are what is built", async () => {
  const files = await built();
  expect(await built()).toEqual(files);
  expect(files.size).toBeGreaterThan(0);
  for (const [path, text] of files) expect(readFileSync(path, "utf8") === text, path).toBe(true);
});

test("the client has less than 8 KB, compressed, partysocket included", async () => {
  const [text] = [...(await built())].find(([path]) => path.endsWith("/realtime.js"))!.slice(1);
  expect(gzipSync(text!).length).toBeLessThan(8_000);
  expect(text).not.toContain("react");
});
