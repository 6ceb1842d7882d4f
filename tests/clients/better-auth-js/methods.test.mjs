// What is served of all that the real server with the two-factor and passkey plugins serves, and clients have methods for.

import assert from "node:assert/strict";
import test from "node:test";
import { assertTable, Contract } from "../support/method-tables.mjs";
import { startServer } from "../support/server.mjs";
import { load, RELEASE } from "./support/release.mjs";

/** Methods of the client that stand for more than a path. */
const METHODS = {
  "/sign-in/email": "signIn.email",
  "/sign-up/email": "signUp.email",
  "/sign-in/social": "signIn.social",
  "/passkey/generate-register-options": "passkey.addPasskey",
  "/passkey/verify-registration": "passkey.addPasskey",
  "/passkey/generate-authenticate-options": "signIn.passkey",
  "/passkey/verify-authentication": "signIn.passkey",
};

/** The operations of the real server that clients can call. */
async function realOperations() {
  const { betterAuth } = await load("better-auth");
  const { memoryAdapter } = await load("better-auth/adapters/memory");
  const { twoFactor } = await load("better-auth/plugins");
  const { passkey } = await load("@better-auth/passkey");
  const auth = betterAuth({
    baseURL: "http://localhost",
    secret: "a secret that protects nothing at all",
    database: memoryAdapter({}),
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [twoFactor(), passkey()],
  });
  return Object.values(auth.api)
    .filter(({ path, options }) => path && !options?.metadata?.SERVER_ONLY && !path.startsWith("*"))
    .flatMap(({ path, options }) => [options.method].flat().map((method) => ({ path, method })));
}

/** What calls the operation: the client makes paths of its methods' names. */
function method(path) {
  if (path.includes(":")) return "";
  const name = METHODS[path] ?? path.slice(1).split("/").map(camelCase).join(".");
  return `\`${name}\``;
}

function camelCase(text) {
  return text.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase());
}

test("the table of the client's methods is true", { skip: RELEASE !== "1.7" && "it is about the current release" }, async (t) => {
  const contract = await Contract.of(await startServer(t), "better-auth");
  const operations = await realOperations();
  assert.ok(operations.length > 30, `${operations.length} operations`);
  const rows = operations.map(({ path, method: verb }) => {
    const isServed = contract.serves(`${verb} /api/auth${path.replaceAll(/:[^/]+/g, "{}")}`);
    return `| ${isServed ? "yes" : "no"} | ${method(path)} | \`${verb} ${path}\` |`;
  });
  const table = [...new Set(rows)].sort().reverse();
  await assertTable("methods of better-auth", ["| served | `authClient.` | operation |", "|---|---|---|", ...table]);
});
