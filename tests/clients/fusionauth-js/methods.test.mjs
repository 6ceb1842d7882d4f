// What is served of all that FusionAuth's own client has methods for.

import assert from "node:assert/strict";
import { test } from "node:test";
import fusionauth from "@fusionauth/typescript-client";
import { assertTable, Contract } from "../support/method-tables.mjs";
import { startServer } from "../support/server.mjs";

const { FusionAuthClient } = fusionauth;

/** Stands for every argument. */
const ARGUMENT = "argument";

/**
 * The requests that a method makes with all of its arguments and with none, since an argument may be a part of the path, and
 * the names of their parameters.
 */
async function requestsOf(name) {
  const client = new FusionAuthClient("key", "http://localhost");
  const requests = new Map();
  const { build } = client.clientBuilder;
  client.clientBuilder.build = function (host) {
    const request = build.call(this, host);
    request.go = async () => {
      const [path, parameters] = [request.uri.replaceAll(ARGUMENT, "{}"), Object.keys(request.parameters)];
      requests.set(`${request.method} ${path}`, parameters);
    };
    return request;
  };
  const { length } = FusionAuthClient.prototype[name];
  for (const argument of [ARGUMENT, null]) {
    // Some read fields of a request that is null here.
    await Promise.resolve().then(() => client[name](...Array(length).fill(argument))).catch(() => {});
  }
  return [...requests];
}

test("the table of the client's methods is true", async (t) => {
  const contract = await Contract.of(await startServer(t), "fusionauth");
  const names = Object.getOwnPropertyNames(FusionAuthClient.prototype).filter((name) => !/^(constructor|start|startAnonymous|setTenantId)$/.test(name));
  const served = [];
  for (const name of names) {
    const requests = await requestsOf(name);
    const operations = requests
      .filter(([request, parameters]) => contract.serves(request, parameters))
      .map(([request]) => request);
    if (operations.length > 0) served.push(`| \`${name}\` | ${operations.map((operation) => `\`${operation}\``).join(", ")} |`);
  }
  assert.ok(served.length > 20, `${served.length} methods`);
  await assertTable("methods of FusionAuth's client", [
    "| method | operation |",
    "|---|---|",
    ...served.sort(),
    "",
    `These are ${served.length} of the ${names.length} methods; the others are not served.`,
  ]);
});
