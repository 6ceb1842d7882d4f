// Runs a program that takes an account of each dialect through its second factor.

import assert from "node:assert/strict";
import { run } from "./generators.mjs";
import { startServer } from "./server.mjs";

/** Runs it against a server that ends with the test `t`: its arguments are the URL, an API key, and the file of mails. */
export async function runJourney(t, program, ...options) {
  const server = await startServer(t);
  const printed = await run(program, [...options, server.baseURL, server.apiKey(), server.outbox]);
  assert.equal(printed, "done\n");
}
