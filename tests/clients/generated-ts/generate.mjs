// Makes TypeScript clients of both contracts in src/generated, as anybody would: with openapi-generator's
// `typescript-fetch`, with openapi-typescript for openapi-fetch, with Hey API's openapi-ts, and with orval.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { contract, openapiGenerator, run } from "../support/generators.mjs";

const HERE = import.meta.dirname;
const OUTPUT = join(HERE, "src", "generated");
const PROGRAMS = join(HERE, "node_modules/.bin");

/** Has each generator read a contract. */
async function clientsOf(dialect) {
  const document = contract(dialect);
  // Node wants to see the extension of what a module imports; bundlers do without.
  const extension = ["--additional-properties", "importFileExtension=.js"];
  await Promise.all([
    openapiGenerator(dialect, "typescript-fetch", join(OUTPUT, dialect), ...extension),
    run(join(PROGRAMS, "openapi-typescript"), [document, "-o", join(OUTPUT, `${dialect}.d.ts`)]),
    run(join(PROGRAMS, "openapi-ts"), ["-i", document, "-o", join(OUTPUT, `hey-api-${dialect}`)]),
    run(join(PROGRAMS, "orval"), ["--input", document, "--output", join(OUTPUT, `orval-${dialect}.ts`), "--client", "fetch"]),
  ]);
}

// Nothing of an earlier contract may be left to compile against.
await rm(OUTPUT, { recursive: true, force: true });
await rm(join(HERE, "build"), { recursive: true, force: true });
await mkdir(OUTPUT, { recursive: true });
await Promise.all([clientsOf("better-auth"), clientsOf("fusionauth")]);
