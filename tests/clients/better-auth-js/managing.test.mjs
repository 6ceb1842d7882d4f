// Managing a second factor that is on.

import assert from "node:assert/strict";
import test from "node:test";
import { Authenticator } from "../support/authenticator.mjs";
import { challenged, data, enrolled, PASSWORD, refused, signedUp } from "./support/people.mjs";
import { startServer } from "../support/server.mjs";

test("new backup codes take the place of the old ones", async (t) => {
  const server = await startServer(t);
  const { email, client, backupCodes: old } = await enrolled(server);
  refused(await client.twoFactor.generateBackupCodes({ password: "wrong" }), 400, "INVALID_PASSWORD");
  const { status, backupCodes } = data(await client.twoFactor.generateBackupCodes({ password: PASSWORD }));
  assert.equal(status, true);
  assert.equal(new Set([...old, ...backupCodes]).size, 20);

  const next = await challenged(server, email);
  refused(await next.client.twoFactor.verifyBackupCode({ code: old[0] }), 401, "INVALID_BACKUP_CODE");
  data(await next.client.twoFactor.verifyBackupCode({ code: backupCodes[0] }));
});

test("the URI can be read again", async (t) => {
  const server = await startServer(t);
  const { client, authenticator } = await enrolled(server);
  refused(await client.twoFactor.getTotpUri({ password: "wrong" }), 400, "INVALID_PASSWORD");
  const shown = data(await client.twoFactor.getTotpUri({ password: PASSWORD }));
  assert.deepEqual(shown, { totpURI: authenticator.uri.href });
});

test("the second factor is switched off, and on again", async (t) => {
  const server = await startServer(t);
  const { email, user, client, authenticator, backupCodes } = await enrolled(server);
  const trusting = await challenged(server, email);
  data(await trusting.client.twoFactor.verifyBackupCode({ code: backupCodes[0], trustDevice: true }));

  refused(await client.twoFactor.disable({ password: "wrong" }), 400, "INVALID_PASSWORD");
  const before = user.cookies.get("session_token").value;
  assert.deepEqual(data(await client.twoFactor.disable({ password: PASSWORD })), { status: true });
  assert.notEqual(user.cookies.get("session_token").value, before, "the session is renewed");
  assert.equal(data(await client.getSession()).user.twoFactorEnabled, false);
  refused(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }), 400, "TOTP_NOT_ENABLED");
  refused(await client.twoFactor.verifyBackupCode({ code: backupCodes[1] }), 400, "BACKUP_CODES_NOT_ENABLED");

  data(await client.signOut());
  const response = data(await client.signIn.email({ email, password: PASSWORD }));
  assert.equal(response.redirect, false);
  assert.equal(response.user.twoFactorEnabled, false);
  assert.deepEqual(user.redirects, [], "no second factor is asked for");

  const again = new Authenticator(data(await client.twoFactor.enable({ password: PASSWORD })).totpURI);
  assert.notEqual(again.uri.searchParams.get("secret"), authenticator.uri.searchParams.get("secret"));
  data(await client.twoFactor.verifyTotp({ code: await again.nextCode() }));
  await challenged(server, email, trusting.user);
});

test("switching off what was never on succeeds", async (t) => {
  const server = await startServer(t);
  const { client } = await signedUp(server);
  assert.deepEqual(data(await client.twoFactor.disable({ password: PASSWORD })), { status: true });
  assert.notEqual(data(await client.getSession()), null);
});
