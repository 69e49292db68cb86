import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const page = here("../demo/static/demo");

/** What is built: a file of Django's static files, from a source. */
const bundles = [
  {
    entryPoints: { realtime: "src/realtime/index.ts" },
    outdir: here("../realtime/static/realtime"),
  },
  { entryPoints: { keycloak: "keycloak-js" }, outdir: page },
  {
    entryPoints: { demo: "src/demo/main.tsx" },
    outdir: page,
    // A file of its own, which the page loads where people sign in at Keycloak.
    alias: { "keycloak-js": "./keycloak.js" },
    external: ["./keycloak.js"],
  },
];

const LEGAL = ".LEGAL.txt";

/** Return each file of all bundles, by path; nothing in them depends on the machine. */
export async function built() {
  const files = new Map();
  for (const bundle of bundles) {
    const [name] = Object.keys(bundle.entryPoints);
    const { outputFiles, metafile } = await build({
      ...bundle,
      absWorkingDir: here("."),
      bundle: true,
      format: "esm",
      target: "es2022",
      minify: true,
      metafile: true,
      write: false,
      legalComments: "none", // most packages have none: their licenses are in a file of their own
      footer: { js: `/*! Licenses of third parties: ${name}.js${LEGAL} */` },
      define: { "process.env.NODE_ENV": '"production"' },
    });
    for (const { path, text } of outputFiles) files.set(path, text);
    files.set(`${bundle.outdir}/${name}.js${LEGAL}`, licenses(Object.keys(metafile.inputs)));
  }
  return files;
}

/** Return the licenses of the packages that source files come from. */
function licenses(sources) {
  const names = sources.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  const packages = [...new Set(names.filter(Boolean))].sort();
  return packages.map(license).join("\n\n");
}

function license(name) {
  const folder = here(`node_modules/${name}`);
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} has no license file.`);
  const text = readFileSync(`${folder}/${file}`, "utf8").trim();
  return `${name} ${version}\n\n${text}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await built()) {
    writeFileSync(path, text);
    console.log(`${basename(path)}: ${text.length} characters`);
  }
}
