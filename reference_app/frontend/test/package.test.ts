// @vitest-environment node
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, test } from "vitest";

const HERE = fileURLToPath(new URL("..", import.meta.url));

/** What a fresh app of Vite, React and TypeScript asks of its sources, and one option more. */
const TSCONFIG = {
  target: "es2023",
  lib: ["ES2023", "DOM", "DOM.Iterable"],
  module: "esnext",
  skipLibCheck: false,
  moduleResolution: "bundler",
  verbatimModuleSyntax: true,
  moduleDetection: "force",
  noEmit: true,
  jsx: "react-jsx",
  strict: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  erasableSyntaxOnly: true,
  noFallthroughCasesInSwitch: true,
  noUncheckedSideEffectImports: true,
  exactOptionalPropertyTypes: true,
  types: [] as string[],
};

let app: string;

/** Run a program of the packages that are installed here, in the app, and return what it printed. */
function run(program: string, ...args: string[]): string {
  const command = [join(HERE, "node_modules", program), ...args];
  const { stdout, stderr } = spawnSync(process.execPath, command, { cwd: app, encoding: "utf8" });
  return stdout + stderr;
}

function write(name: string, text: string): void {
  writeFileSync(join(app, name), text);
}

beforeAll(() => {
  app = mkdtempSync(join(tmpdir(), "app-"));
  const packed = execFileSync("npm", ["pack", "--pack-destination", app, "--json"], {
    cwd: HERE,
    encoding: "utf8",
  });
  const { filename } = JSON.parse(packed)[0];
  mkdirSync(join(app, "node_modules", "@types"), { recursive: true });
  execFileSync("tar", ["-xzf", filename], { cwd: app });
  cpSync(join(app, "package"), join(app, "node_modules", "realtime-client"), { recursive: true });
  for (const name of [
    "react",
    "react-dom",
    "scheduler",
    "csstype",
    "@types/react",
    "@types/react-dom",
  ]) {
    symlinkSync(join(HERE, "node_modules", name), join(app, "node_modules", name));
  }
  write("package.json", JSON.stringify({ type: "module" }));
  write("tsconfig.json", JSON.stringify({ compilerOptions: TSCONFIG, include: ["*.tsx"] }));
  write("index.html", '<div id="root"></div><script type="module" src="/main.tsx"></script>');
  const example = /```tsx\n(.+?)```/s.exec(readFileSync(join(HERE, "README.md"), "utf8"))![1]!;
  write(
    "main.tsx",
    `import { createRoot } from "react-dom/client";
${example}
declare function freshToken(reason: string): Promise<string>;
createRoot(document.getElementById("root")!).render(<App user={{ id: "alice" }} />);
`,
  );
});

afterAll(() => rmSync(app, { recursive: true }));

test("the README's example has the types of a strict Vite app", () => {
  expect(run("typescript-7/bin/tsc", "-p", ".")).toBe("");
});

test("options that are undefined, and a map of events, have types", () => {
  write(
    "strict.tsx",
    `import { type ClientOptions, CloseCode, RealtimeClient, SignInRequiredError } from "realtime-client";
import { type EventItem, useOrganizationEvents } from "realtime-client/react";

export const options: ClientOptions = { url: "/ws/", token: async () => "t", since: undefined };
export const client: RealtimeClient = new RealtimeClient(options);
export const error: Error = new SignInRequiredError("Sign in.");
export const code: 4001 = CloseCode.UNAUTHORIZED;
type Events = { "member.joined": { name: string }; "member.left": null };
export function useNames(org: string): string[] {
  const { events } = useOrganizationEvents<Events>(org);
  return events.map((item) => (item.omitted ? "" : nameIn(item)));
}
function nameIn(item: EventItem<Events>): string {
  // @ts-expect-error: a member who left has no name
  item.event_type === "member.left" && item.data.name;
  return item.event_type === "member.joined" ? item.data.name : "left";
}
`,
  );
  expect(run("typescript-7/bin/tsc", "-p", ".")).toBe("");
});

test("types are found by the rules of Node.js too", () => {
  const compilerOptions = { ...TSCONFIG, module: "nodenext", moduleResolution: "nodenext" };
  write("tsconfig.node.json", JSON.stringify({ compilerOptions, include: ["*.tsx"] }));
  expect(run("typescript-7/bin/tsc", "-p", "tsconfig.node.json")).toBe("");
});

test("Vite builds it, with one copy of the client", () => {
  const built = run("vite/bin/vite.js", "build", "--logLevel", "error");
  expect(built).toBe("");
  const script = execFileSync("sh", ["-c", "cat dist/assets/*.js"], { cwd: app, encoding: "utf8" });
  expect(script.split("realtime.v1")).toHaveLength(2);
});

test("plain JavaScript imports the client without React", () => {
  rmSync(join(app, "node_modules", "react"));
  write(
    "plain.mjs",
    'import { RealtimeClient } from "realtime-client"; console.log(typeof RealtimeClient);',
  );
  const printed = execFileSync(process.execPath, ["plain.mjs"], { cwd: app, encoding: "utf8" });
  expect(printed).toBe("function\n");
});

test("the licenses of bundled packages are in the package", () => {
  const licenses = join(app, "node_modules", "realtime-client", "dist", "index.js.LEGAL.txt");
  expect(readFileSync(licenses, "utf8")).toMatch(/^partysocket /);
});
