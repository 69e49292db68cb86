// @vitest-environment node
import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

// @ts-expect-error: a script without types
import { built } from "../build.mjs";

test("two builds are the same, and the committed files are what is built", async () => {
  const files: Map<string, string> = await built();
  expect(await built()).toEqual(files);
  expect(files.size).toBeGreaterThan(0);
  for (const [path, text] of files) expect(readFileSync(path, "utf8") === text, path).toBe(true);
});

test("the client needs no React", async () => {
  expect(await file("/realtime.js")).not.toContain("react");
});

test("a bundle names the file with the licenses of what is in it", async () => {
  expect(await file("/realtime.js")).toContain("realtime.js.LEGAL.txt");
  expect(await file("/realtime.js.LEGAL.txt")).toContain("partysocket");
  expect(await file("/keycloak.js.LEGAL.txt")).toContain("Apache License");
  const page = await file("/demo.js.LEGAL.txt");
  for (const name of ["partysocket", "react", "react-dom", "scheduler"])
    expect(page).toMatch(new RegExp(`^${name} `, "m"));
});

async function file(end: string): Promise<string> {
  const files: Map<string, string> = await built();
  return [...files].find(([path]) => path.endsWith(end))![1];
}
