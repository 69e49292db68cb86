import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { generateDtsBundle } from "dts-bundle-generator";
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
  {
    // The package: its two entry points share what both need, so that there is one of each class.
    entryPoints: { index: "src/realtime/index.ts", react: "src/react/index.ts" },
    outdir: here("dist"),
    splitting: true,
    chunkNames: "shared",
    external: ["react"],
    minify: false,
  },
];

/** The types of what is built, each in one file, by the sources that they are read from. */
const types = {
  "src/realtime/index.ts": [
    here("dist/index.d.ts"),
    here("../realtime/static/realtime/realtime.d.ts"),
  ],
  "src/react/index.ts": [here("dist/react.d.ts")],
};

const LEGAL = ".LEGAL.txt";

/** Return each file of all bundles, by path; nothing in them depends on the machine. */
export async function built() {
  const files = new Map();
  for (const bundle of bundles) {
    const [name] = Object.keys(bundle.entryPoints);
    const { outputFiles, metafile } = await build({
      absWorkingDir: here("."),
      bundle: true,
      format: "esm",
      target: "es2022",
      minify: true,
      metafile: true,
      write: false,
      legalComments: "none", // most packages have none: their licenses are in a file of their own
      footer: { js: `/*! Licenses of third parties: ${name}.js${LEGAL} */` },
      define: {
        "process.env.NODE_ENV": '"production"',
        // Each browser has both; partysocket has a long sentence for what has not.
        "globalThis.EventTarget": "true",
        "globalThis.Event": "true",
      },
      ...bundle,
    });
    for (const { path, text } of outputFiles) files.set(path, text);
    files.set(`${bundle.outdir}/${name}.js${LEGAL}`, licenses(Object.keys(metafile.inputs)));
  }
  for (const [path, text] of declarations()) files.set(path, text);
  files.set(here("bundles.sha256"), `${digest()}\n`);
  return files;
}

/**
 * Return a digest of what is built from. It is committed with the bundles, so that a test without
 * npm notices a source that was changed since then.
 */
function digest() {
  const inside = readdirSync(here("src"), { recursive: true, withFileTypes: true });
  const sources = inside
    .filter((each) => each.isFile())
    .map((each) => relative(here("."), `${each.parentPath}/${each.name}`));
  const hash = createHash("sha256");
  for (const name of ["build.mjs", "package-lock.json", "tsconfig.json", ...sources].sort())
    hash.update(`${name}\0${readFileSync(here(name), "utf8")}\0`);
  return hash.digest("hex");
}

/** Return the file of types for each path. */
function* declarations() {
  const output = { noBanner: true, exportReferencedTypes: false };
  const entries = Object.keys(types).map((source) => ({ filePath: here(source), output }));
  const texts = generateDtsBundle(entries, { preferredConfigPath: here("tsconfig.json") });
  for (const [index, paths] of Object.values(types).entries()) {
    for (const path of paths) yield [path, texts[index]];
  }
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
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`${basename(path)}: ${text.length} characters`);
  }
}
