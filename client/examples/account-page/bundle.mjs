// The page's files, by path.

import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const here = import.meta.dirname;

/** Bundles the page for the server at the URL `server`. */
export async function bundle(server) {
  const { outputFiles } = await build({
    entryPoints: [join(here, "src/main.js")],
    bundle: true,
    format: "esm",
    write: false,
    define: { SERVER: JSON.stringify(server) },
    logLevel: "warning",
  });
  const file = async (name) => readFile(join(here, name), "utf8");
  return {
    "/": { type: "text/html; charset=utf-8", content: await file("index.html") },
    "/style.css": { type: "text/css", content: await file("style.css") },
    "/main.js": { type: "text/javascript", content: outputFiles[0].text },
  };
}
