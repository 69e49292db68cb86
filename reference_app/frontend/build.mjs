import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What is built: a file of Django's static files, from a source. */
export const bundles = {
  realtime: "src/realtime/index.ts",
  demo: "src/demo/main.tsx",
};

/** Return esbuild's options; nothing in them, or in the output, depends on the machine. */
export function options() {
  return {
    absWorkingDir: here("."),
    entryPoints: bundles,
    outdir: here("../api/static/api"),
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    define: { "process.env.NODE_ENV": '"production"' },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build({ ...options(), logLevel: "info" });
}
