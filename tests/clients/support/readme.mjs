// Code that README.md prints.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** What the README's examples take for the server's address. */
const PRINTED_URL = "http://localhost:3000";

/** The block that README.md marks as `name`, for the server at `baseURL`. */
export function snippet(name, baseURL) {
  const readme = readFileSync(resolve(import.meta.dirname, "../../../README.md"), "utf8");
  const [, code] = new RegExp(`<!-- snippet ${name}:[^\\n]*\\n\`\`\`js\\n(.*?)\`\`\``, "s").exec(readme) ?? [];
  if (code === undefined) throw new Error(`README.md has no block that is marked "snippet ${name}"`);
  return code.replaceAll(PRINTED_URL, baseURL);
}
