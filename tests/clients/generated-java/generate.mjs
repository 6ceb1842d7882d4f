// Makes Java clients of both contracts with openapi-generator in ./generated, and compiles the program that uses them.

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { openapiGenerator, run } from "../support/generators.mjs";
import { CLASSES, classPath } from "./support.mjs";

const HERE = import.meta.dirname;
const OUTPUT = join(HERE, "generated");

async function clientOf(dialect, name) {
  const packages = ["--invoker-package", name, "--api-package", `${name}.api`, "--model-package", `${name}.model`];
  // The Java 11 HTTP client, and null for what is not there: fewer libraries.
  const options = ["--library", "native", "--additional-properties", "openApiNullable=false,hideGenerationTimestamp=true"];
  await openapiGenerator(dialect, "java", join(OUTPUT, name), ...packages, ...options);
}

await rm(OUTPUT, { recursive: true, force: true });
await Promise.all([clientOf("better-auth", "betterauth"), clientOf("fusionauth", "fusionauth")]);
await mkdir(CLASSES, { recursive: true });
const sources = [join(HERE, "Journey.java")];
for (const name of ["betterauth", "fusionauth"]) {
  const root = join(OUTPUT, name, "src/main/java");
  const files = await readdir(root, { recursive: true });
  sources.push(...files.filter((file) => file.endsWith(".java")).map((file) => join(root, file)));
}
await run("javac", ["--release", "11", "-nowarn", "-d", CLASSES, "-cp", await classPath(), ...sources]);
