// The README's examples, as they are printed there.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { snippet } from "../support/readme.mjs";
import { startServer } from "../support/server.mjs";
import { challenged, data, enrolled, PASSWORD } from "./support/people.mjs";
import { directoryOf } from "./support/release.mjs";

const NEW_PASSWORD = "a longer horse, a better battery";

/** A project with the package under test installed as `better-auth`, and the example as its program. */
async function project(t, code) {
  const directory = await mkdtemp(join(tmpdir(), "countersign-readme-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, "node_modules"));
  await symlink(directoryOf("better-auth"), join(directory, "node_modules/better-auth"));
  const program = join(directory, "program.mjs");
  await writeFile(program, code);
  return program;
}

/** A browser with a session that no second factor opened: the device is trusted. */
async function atTrustedDevice(server) {
  const person = await enrolled(server);
  const { user, client } = await challenged(server, person.email);
  data(await client.twoFactor.verifyTotp({ code: await person.authenticator.nextCode(), trustDevice: true }));
  data(await client.signOut());
  data(await client.signIn.email({ email: person.email, password: PASSWORD }));
  return { ...person, user, client };
}

test("the program for Node signs up, out and in", async (t) => {
  const server = await startServer(t);
  const program = await project(t, snippet("node", server.baseURL));
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 30_000 });
  assert.match(stdout, /email: 'edsger@example\.com'/);
});

test("the step-up passes a second factor and makes the change", async (t) => {
  const server = await startServer(t);
  const { withSecondFactor } = await import(await project(t, snippet("step-up", server.baseURL)));
  const { email, client, authenticator } = await atTrustedDevice(server);

  const shown = [];
  const answers = [authenticator.wrongCode(), await authenticator.nextCode()];
  const askForCode = async ({ problem }) => {
    shown.push(problem?.code ?? null);
    return { code: answers.shift(), isMailed: false };
  };
  const change = () => client.changePassword({ currentPassword: PASSWORD, newPassword: NEW_PASSWORD });
  data(await withSecondFactor(client, change, askForCode));
  assert.deepEqual(shown, [null, "INVALID_CODE"]);
  data(await client.signOut());
  assert.equal(data(await client.signIn.email({ email, password: NEW_PASSWORD })).twoFactorRedirect, true);
});

test("the step-up takes a mailed code, and can be cancelled", async (t) => {
  const server = await startServer(t);
  const { withSecondFactor } = await import(await project(t, snippet("step-up", server.baseURL)));
  const { email, client } = await atTrustedDevice(server);
  const change = () => client.twoFactor.generateBackupCodes({ password: PASSWORD });

  const cancelled = await withSecondFactor(client, change, async () => null);
  assert.equal(cancelled.error.code, "SECOND_FACTOR_REQUIRED");
  const byMail = async ({ mailCode }) => {
    data(await mailCode());
    return { code: await server.mailedCode(email), isMailed: true };
  };
  assert.equal(data(await withSecondFactor(client, change, byMail)).backupCodes.length, 10);
  const notAsked = () => assert.fail("a second factor was passed just now");
  assert.equal(data(await withSecondFactor(client, change, notAsked)).backupCodes.length, 10);
});
