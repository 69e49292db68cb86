// @vitest-environment node
import { readFileSync } from "node:fs";

import { beforeAll, expect, test } from "vitest";

// @ts-expect-error: a script without types
import { built } from "../build.mjs";

let files: Map<string, string>;

beforeAll(async () => {
  files = await built();
}, 120_000);

test("the committed files are what is built here", () => {
  expect(files.size).toBeGreaterThan(0);
  for (const [path, text] of files)
    expect(readFileSync(path, "utf8") === text, `${path} is outdated: npm run build`).toBe(true);
});

test("the client needs no React", () => {
  expect(file("/realtime.js")).not.toContain("react");
  expect(file("/shared.js")).not.toContain("react");
});

test("a bundle names the file with the licenses of what is in it", () => {
  expect(file("/realtime.js")).toContain("realtime.js.LEGAL.txt");
  expect(file("/realtime.js.LEGAL.txt")).toContain("partysocket");
  expect(file("/keycloak.js.LEGAL.txt")).toContain("Apache License");
  const page = file("/demo.js.LEGAL.txt");
  for (const name of ["partysocket", "react", "react-dom", "scheduler"])
    expect(page).toMatch(new RegExp(`^${name} `, "m"));
});

function file(end: string): string {
  return [...files].find(([path]) => path.endsWith(end))![1];
}
