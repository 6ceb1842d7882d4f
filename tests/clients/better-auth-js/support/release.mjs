// The release of better-auth under test. One set of tests runs for all of them; in what they differ stands here.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** `1.6` or `1.7`. */
export const RELEASE = process.env.BETTER_AUTH_RELEASE ?? "1.7";

/** Finds modules as an application of this release does. */
const application = createRequire(resolve(import.meta.dirname, "../releases", RELEASE, "package.json"));

/** Imports a module of this release. */
export function load(name) {
  return import(pathToFileURL(application.resolve(name)));
}

/** The directory of a package of this release: npm shares some of them between the releases. */
export function directoryOf(name) {
  return application.resolve.paths(name).map((path) => join(path, name)).find((path) => existsSync(path));
}

const { createAuthClient } = await load("better-auth/client");
const { twoFactorClient } = await load("better-auth/client/plugins");
const { PASSKEY_ERROR_CODES, passkeyClient } = await load("@better-auth/passkey/client");

export { createAuthClient, PASSKEY_ERROR_CODES, passkeyClient, twoFactorClient };
