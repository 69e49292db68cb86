// @vitest-environment node
import { readFileSync } from "node:fs";

import { build } from "esbuild";
import { expect, test } from "vitest";

// @ts-expect-error: a script without types
import { options } from "../build.mjs";

async function built(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const each of options()) {
    const { outputFiles } = await build({ ...each, write: false });
    for (const { path, text } of outputFiles!) files.set(path, text);
  }
  return files;
}

test("two builds are the same, and the committed files are what is built", async () => {
  const files = await built();
  expect(await built()).toEqual(files);
  expect(files.size).toBeGreaterThan(0);
  for (const [path, text] of files) expect(readFileSync(path, "utf8") === text, path).toBe(true);
});

test("the client needs no React", async () => {
  const [text] = [...(await built())].find(([path]) => path.endsWith("/realtime.js"))!.slice(1);
  expect(text).not.toContain("react");
});
