// Runs the generators of clients.

import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

const HERE = import.meta.dirname;

/** The Python package of openapi-generator, and its Java archive; requirements.txt of the Python tests names it. */
const VENV = resolve(HERE, "../python/.venv");

/** A generator, or a compiler for the first time, takes its time on a busy machine. */
const LIMIT_MS = 300_000;

/** Runs a program to its end; says what it printed. */
export async function run(program, options, { cwd, env } = {}) {
  try {
    const { stdout } = await promisify(execFile)(program, options, {
      cwd,
      env: { ...process.env, ...env },
      timeout: LIMIT_MS,
      maxBuffer: 2 ** 26,
    });
    return stdout;
  } catch (error) {
    throw new Error(`${program} ${options.join(" ")}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  }
}

/** The path of a contract. */
export function contract(dialect) {
  return resolve(HERE, "../../../openapi", `${dialect}.yaml`);
}

/** Has openapi-generator make a client of a contract. */
export async function openapiGenerator(dialect, generator, output, ...options) {
  const program = resolve(VENV, "bin/openapi-generator-cli");
  await run(program, ["generate", "-i", contract(dialect), "-g", generator, "-o", output, ...options]);
}

/** The path of openapi-generator's archive, which has the libraries in it that its Java clients need. */
export async function openapiGeneratorArchive() {
  const program = "import openapi_generator_cli, pathlib; print(pathlib.Path(openapi_generator_cli.__file__).with_name('openapi-generator.jar'))";
  return (await run(resolve(VENV, "bin/python"), ["-c", program])).trim();
}
