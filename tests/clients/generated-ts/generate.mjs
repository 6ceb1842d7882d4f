// Makes TypeScript clients of both contracts in src/generated, as anybody would: with openapi-generator's
// `typescript-fetch`, and with openapi-typescript for openapi-fetch.

import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const HERE = import.meta.dirname;
const OUTPUT = join(HERE, "src", "generated");
const CONTRACTS = resolve(HERE, "../../../openapi");

/** From PyPI: requirements.txt of the Python tests has it, with its Java archive. */
const OPENAPI_GENERATOR = resolve(HERE, "../python/.venv/bin/openapi-generator-cli");
const OPENAPI_TYPESCRIPT = join(HERE, "node_modules/.bin/openapi-typescript");

const LIMIT_MS = 300_000;

async function run(program, ...options) {
  try {
    await promisify(execFile)(program, options, { timeout: LIMIT_MS });
  } catch (error) {
    throw new Error(`${program} ${options.join(" ")}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  }
}

/** Has both generators read a contract. */
async function clientsOf(dialect) {
  const contract = join(CONTRACTS, `${dialect}.yaml`);
  // Node wants to see the extension of what a module imports; bundlers do without.
  const all = ["-g", "typescript-fetch", "--additional-properties", "importFileExtension=.js"];
  await Promise.all([
    run(OPENAPI_GENERATOR, "generate", "-i", contract, ...all, "-o", join(OUTPUT, dialect)),
    run(OPENAPI_TYPESCRIPT, contract, "-o", join(OUTPUT, `${dialect}.d.ts`)),
  ]);
}

// Nothing of an earlier contract may be left to compile against.
await rm(OUTPUT, { recursive: true, force: true });
await rm(join(HERE, "build"), { recursive: true, force: true });
await mkdir(OUTPUT, { recursive: true });
await Promise.all([
  clientsOf("better-auth"),
  clientsOf("fusionauth"),
]);
