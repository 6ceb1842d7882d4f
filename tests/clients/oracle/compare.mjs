// Sends the same requests to the real better-auth server and to Countersign, and prints each difference between their
// responses that deviations.json does not list.
//
// usage: node compare.mjs [--all] [SCENARIO…]
//
// --all prints the listed differences too. SCENARIO is the name of a scenario; without one, all of them run. The server to test
// is $COUNTERSIGN_BINARY, else what cargo built. Exit status: 0 when each difference is listed and each entry of the list
// was needed, else 1.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { declaredRows, Deviations, differences } from "./support/differences.mjs";
import { startOurServer } from "./support/our-server.mjs";
import { startRealServer } from "./support/real-server.mjs";
import { World } from "./support/world.mjs";
import { accounts } from "./scenarios/accounts.mjs";
import { backupCodes } from "./scenarios/backup-codes.mjs";
import { challenges } from "./scenarios/challenges.mjs";
import { cookies } from "./scenarios/cookies.mjs";
import { enrolment } from "./scenarios/enrolment.mjs";
import { leniency, ORIGIN_IN_UNICODE } from "./scenarios/leniency.mjs";
import { ownAccount } from "./scenarios/own-account.mjs";
import { passkeys } from "./scenarios/passkeys.mjs";
import { requests } from "./scenarios/requests.mjs";
import { sessions } from "./scenarios/sessions.mjs";
import { trustedDevices } from "./scenarios/trusted-devices.mjs";
import { validation } from "./scenarios/validation.mjs";

/** Fewer requests than this show that scenarios were lost, not that there is less to compare. */
const LEAST_REQUESTS = 350;

const SCENARIOS = {
  ...accounts,
  ...sessions,
  ...enrolment,
  ...challenges,
  ...backupCodes,
  ...trustedDevices,
  ...validation,
  ...requests,
  ...cookies,
  ...ownAccount,
  ...leniency,
  ...passkeys,
};

/** Runs a scenario on a server; says its steps, and why it ended early if it did. */
async function run(server, name) {
  const world = new World(server, name);
  try {
    await SCENARIOS[name](world);
    return { steps: world.steps };
  } catch (error) {
    return { steps: world.steps, end: `${error.message} (after "${[...world.steps.keys()].at(-1)}")`, error };
  }
}

function show({ method, path, headers, body }) {
  const { "user-agent": _, "content-length": __, ...rest } = headers;
  const lines = Object.entries(rest).map(([name, value]) => `      ${name}: ${value}`);
  return [`      ${method} ${path}`, ...lines, ...(body === undefined ? [] : [`      ${body}`])].join("\n");
}

const options = process.argv.slice(2);
const showsAll = options.includes("--all");
const wanted = options.filter((option) => !option.startsWith("--"));
const unknown = wanted.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0) throw new Error(`no scenario is called ${unknown.join(", ")}`);
const names = wanted.length > 0 ? wanted : Object.keys(SCENARIOS);

const here = import.meta.dirname;
const readme = await readFile(join(here, "../../../openapi/README.md"), "utf8");
const deviations = new Deviations(JSON.parse(await readFile(join(here, "deviations.json"), "utf8")), declaredRows(readme));
const [real, ours] = await Promise.all([startRealServer(ORIGIN_IN_UNICODE), startOurServer(ORIGIN_IN_UNICODE)]);

let requestCount = 0;
let unlisted = 0;
let listed = 0;
try {
  for (const name of names) {
    const [theirs, own] = await Promise.all([run(real, name), run(ours, name)]);
    for (const [server, { end, error }] of Object.entries({ "the real server": theirs, "our server": own })) {
      if (end === undefined) continue;
      unlisted += 1;
      console.log(`\n${name}: could not go on with ${server}: ${end}\n${error.stack}`);
    }
    for (const label of new Set([...theirs.steps.keys(), ...own.steps.keys()])) {
      const [step, counterpart] = [theirs.steps.get(label), own.steps.get(label)];
      const at = `${name}: ${label}`;
      if (step === undefined || counterpart === undefined) {
        unlisted += 1;
        console.log(`\n${at}\n  only sent to ${step === undefined ? "our server" : "the real server"}`);
        continue;
      }
      requestCount += 1;
      const found = differences(step.response, counterpart.response);
      const allowed = found.filter((difference) => deviations.allow(at, difference));
      listed += allowed.length;
      const shown = showsAll ? found : found.filter((difference) => !allowed.includes(difference));
      unlisted += found.length - allowed.length;
      if (shown.length === 0) continue;
      console.log(`\n${at}\n${show(counterpart.request)}`);
      for (const difference of shown) {
        const note = allowed.includes(difference) ? " (listed)" : "";
        console.log(`  ${difference.of}${note}\n    real: ${difference.real}\n    ours: ${difference.ours}`);
      }
    }
  }
} finally {
  await Promise.all([real.end(), ours.end()]);
}

const isWhole = wanted.length === 0;
for (const fault of deviations.faults) console.log(`\ndeviations.json: ${fault}`);
if (isWhole) {
  for (const entry of deviations.stale) console.log(`\ndeviations.json: there is no such difference (any more): ${JSON.stringify(entry)}`);
  if (requestCount < LEAST_REQUESTS) console.log(`\nonly ${requestCount} requests were compared, of at least ${LEAST_REQUESTS}`);
}
console.log(`\n${requestCount} requests, ${listed} listed differences, ${unlisted} unlisted ones`);
const isRight =
  unlisted === 0 &&
  deviations.faults.length === 0 &&
  (!isWhole || (deviations.stale.length === 0 && requestCount >= LEAST_REQUESTS));
process.exitCode = isRight ? 0 : 1;
