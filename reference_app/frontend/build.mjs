import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What is built: a file of Django's static files, from a source. */
const bundles = [
  { entryPoints: { realtime: "src/realtime/index.ts", keycloak: "keycloak-js" } },
  {
    entryPoints: { demo: "src/demo/main.tsx" },
    // A file of its own, which the page loads where people sign in at Keycloak.
    alias: { "keycloak-js": "./keycloak.js" },
    external: ["./keycloak.js"],
  },
];

/** Return esbuild's options, of each build; nothing in them, or in the output, depends on the machine. */
export function options() {
  return bundles.map((bundle) => ({
    ...bundle,
    absWorkingDir: here("."),
    outdir: here("../api/static/api"),
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    define: { "process.env.NODE_ENV": '"production"' },
  }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const each of options()) await build({ ...each, logLevel: "info" });
}
