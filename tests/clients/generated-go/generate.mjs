// Makes Go clients of both contracts with openapi-generator in ./generated, and builds the program that uses them.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openapiGenerator, run } from "../support/generators.mjs";

const HERE = import.meta.dirname;
const OUTPUT = join(HERE, "generated");

async function clientOf(dialect, name) {
  // Values of two enums may be called alike, and Go has one scope for the constants of a package.
  const options = ["--package-name", name, "--additional-properties", "enumClassPrefix=true"];
  const directory = join(OUTPUT, name);
  await openapiGenerator(dialect, "go", directory, ...options);
  // A package of this module, and no module of its own.
  for (const file of ["go.mod", "go.sum", "test"]) await rm(join(directory, file), { recursive: true, force: true });
}

await rm(OUTPUT, { recursive: true, force: true });
await Promise.all([clientOf("better-auth", "betterauth"), clientOf("fusionauth", "fusionauth")]);
// All that is needed is here.
await run("go", ["build", "-o", join(OUTPUT, "journey"), "."], { cwd: HERE, env: { GOFLAGS: "-mod=mod", GOPROXY: "off", GOTOOLCHAIN: "local" } });
