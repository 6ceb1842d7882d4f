// Packs a built contract tool as an npm package for the platform that this runs on.
//
// usage: node server/contract/packaging/npm/pack.mjs BINARY DIRECTORY
//
// Writes DIRECTORY/countersign-contract-PLATFORM-ARCH-VERSION.tgz, and prints its path. npm refuses to install it elsewhere, and
// nothing is downloaded or run when it is installed.

import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { arch, argv, exit, platform } from "node:process";

const [, , binary, directory] = argv;
if (!binary || !directory) {
  console.error("usage: node pack.mjs BINARY DIRECTORY");
  exit(2);
}

// `countersign-contract 1.2.3`
const version = execFileSync(resolve(binary), ["--version"], { encoding: "utf8" }).trim().split(" ").at(-1);
const program = `bin/countersign-contract${platform === "win32" ? ".exe" : ""}`;
const description = {
  name: `countersign-contract-${platform}-${arch}`,
  version,
  description: "Compares and lints OpenAPI documents, and tests running servers against them",
  keywords: ["openapi", "breaking-changes", "diff", "lint", "api"],
  license: "Apache-2.0",
  os: [platform],
  cpu: [arch],
  bin: { "countersign-contract": program },
  files: ["bin"],
};

const folder = mkdtempSync(join(tmpdir(), "countersign-contract-"));
try {
  mkdirSync(join(folder, "bin"));
  copyFileSync(binary, join(folder, program));
  chmodSync(join(folder, program), 0o755);
  copyFileSync(new URL("README.md", import.meta.url), join(folder, "README.md"));
  copyFileSync(new URL("../../../../LICENSE", import.meta.url), join(folder, "LICENSE"));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  mkdirSync(directory, { recursive: true });
  const options = { cwd: folder, encoding: "utf8", shell: platform === "win32" };
  const name = execFileSync("npm", ["pack", "--silent", "--pack-destination", resolve(directory)], options).trim();
  console.log(join(resolve(directory), name));
} finally {
  rmSync(folder, { recursive: true });
}
