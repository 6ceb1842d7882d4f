// Where the compiled clients are, and the libraries that they need.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { openapiGeneratorArchive } from "../support/generators.mjs";

export const CLASSES = join(import.meta.dirname, "generated/classes");

/** What openapi-generator's archive lacks; from Debian's packages of nearly these names. */
const DEBIAN = ["/usr/share/java/httpmime.jar", "/usr/share/java/geronimo-annotation-1.3-spec.jar"];

/** The class path: Jackson and most others are in openapi-generator's own archive. */
export async function classPath() {
  const missing = DEBIAN.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`${missing.join(", ")} missing: apt-get install libhttpmime-java libgeronimo-annotation-1.3-spec-java`);
  return [CLASSES, ...DEBIAN, await openapiGeneratorArchive()].join(delimiter);
}
