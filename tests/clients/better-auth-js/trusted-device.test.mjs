// Devices that skip the second factor.

import assert from "node:assert/strict";
import test from "node:test";
import { App, Browser } from "./support/browser.mjs";
import { challenged, data, enrolled, PASSWORD, refused } from "./support/people.mjs";
import { startServer } from "../support/server.mjs";

/** Somebody enrolled who has signed in at a new browser, which is trusted since. */
async function trusted(server) {
  const person = await enrolled(server);
  const { user, client } = await challenged(server, person.email);
  data(await client.twoFactor.verifyTotp({ code: await person.authenticator.nextCode(), trustDevice: true }));
  data(await client.signOut());
  return { ...person, user, client };
}

/** Signs in where no second factor is asked for. */
async function signIn(user, email) {
  const before = user.redirects.length;
  const response = data(await user.client.signIn.email({ email, password: PASSWORD }));
  assert.equal(user.redirects.length, before, "no second factor is asked for");
  assert.equal(response.redirect, false);
  assert.equal(data(await user.client.getSession()).session.token, response.token);
}

test("a trusted device skips the challenge, and its cookie works once", async (t) => {
  const server = await startServer(t);
  const { email, user, client } = await trusted(server);
  const first = user.cookies.get("trust_device");
  assert.deepEqual(first.attributes, ["max-age=2592000", "path=/", "httponly", "samesite=lax"]);

  await signIn(user, email);
  const second = user.cookies.get("trust_device");
  assert.notEqual(second.value, first.value, "the cookie is renewed with every sign-in");
  assert.equal(second.maxAge, 2592000);

  const thief = new Browser(server);
  thief.cookies.put(first);
  await challenged(server, email, thief);
  // It is left alone: a second sign-in at the same moment would delete the cookie that the first has brought.
  assert.equal(thief.cookies.get("trust_device").value, first.value, "the old value is worth nothing");

  data(await client.signOut());
  await signIn(user, email);
  assert.notEqual(user.cookies.get("trust_device").value, second.value);
});

test("trust does not replace the password, and counts for one person only", async (t) => {
  const server = await startServer(t);
  const { email, user, client } = await trusted(server);
  const somebodyElse = await enrolled(server);
  refused(await client.signIn.email({ email, password: "wrong password" }), 401, "INVALID_EMAIL_OR_PASSWORD");
  await challenged(server, somebodyElse.email, user);
});

test("a session of a trusted device manages no factors until it has passed one", async (t) => {
  const server = await startServer(t);
  const { email, user, client, authenticator } = await trusted(server);
  await signIn(user, email);

  const password = PASSWORD;
  refused(await client.twoFactor.enable({ password }), 403, "SECOND_FACTOR_REQUIRED");
  refused(await client.twoFactor.getTotpUri({ password }), 403, "SECOND_FACTOR_REQUIRED");
  refused(await client.twoFactor.generateBackupCodes({ password }), 403, "SECOND_FACTOR_REQUIRED");
  refused(await client.twoFactor.disable({ password }), 403, "SECOND_FACTOR_REQUIRED");

  const before = user.cookies.get("session_token").value;
  const verified = data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  assert.equal(verified.status, true);
  assert.notEqual(user.cookies.get("session_token").value, before, "the session has a new token");
  assert.equal(data(await client.getSession()).session.token, verified.token);

  assert.equal(data(await client.twoFactor.getTotpUri({ password })).totpURI, authenticator.uri.href);
  assert.equal(data(await client.twoFactor.generateBackupCodes({ password })).backupCodes.length, 10);
  assert.deepEqual(data(await client.twoFactor.disable({ password })), { status: true });
});

test("a mailed code or a backup code passes for managing too", async (t) => {
  const server = await startServer(t);
  const { email, user, client, backupCodes } = await trusted(server);
  await signIn(user, email);
  data(await client.twoFactor.sendOtp());
  data(await client.twoFactor.verifyOtp({ code: await server.mailedCode(email) }));
  data(await client.twoFactor.getTotpUri({ password: PASSWORD }));

  data(await client.signOut());
  await signIn(user, email);
  refused(await client.twoFactor.getTotpUri({ password: PASSWORD }), 403, "SECOND_FACTOR_REQUIRED");
  data(await client.twoFactor.verifyBackupCode({ code: backupCodes[0] }));
  data(await client.twoFactor.getTotpUri({ password: PASSWORD }));
});

test("trust comes with a mailed code and a backup code as well", async (t) => {
  const server = await startServer(t);
  const { email, backupCodes } = await enrolled(server);
  const byMail = await challenged(server, email);
  data(await byMail.client.twoFactor.sendOtp());
  data(await byMail.client.twoFactor.verifyOtp({ code: await server.mailedCode(email), trustDevice: true }));
  await signIn(byMail.user, email);

  const byBackupCode = await challenged(server, email);
  data(await byBackupCode.client.twoFactor.verifyBackupCode({ code: backupCodes[0], trustDevice: true }));
  await signIn(byBackupCode.user, email);
});

test("trust ends with the password", async (t) => {
  const server = await startServer(t);
  const { email, user, client, authenticator } = await trusted(server);
  await signIn(user, email);
  const newPassword = "a longer horse, a better battery";
  refused(await client.changePassword({ currentPassword: PASSWORD, newPassword }), 403, "SECOND_FACTOR_REQUIRED");
  data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  data(await client.changePassword({ currentPassword: PASSWORD, newPassword }));
  data(await client.signOut());
  data(await client.signIn.email({ email, password: newPassword }));
  assert.deepEqual(user.redirects.at(-1), { twoFactorMethods: ["totp", "otp"] });
  assert.equal(data(await client.getSession()), null);
});

/** The operations that the published client has no method for, called as an application does. */
test("devices are listed, renamed and revoked by $fetch, with cookies and with a bearer token", async (t) => {
  const server = await startServer(t);
  const { email, user, client } = await trusted(server);
  await signIn(user, email);
  const bearer = new App(server, data(await client.getSession()).session.token).client;
  const list = async (of) => data(await of.$fetch("/trusted-devices/list"));
  const post = (of, path, body) => of.$fetch(`/trusted-devices/${path}`, { method: "POST", body });

  const [device, ...others] = await list(client);
  assert.deepEqual(others, []);
  assert.deepEqual(Object.keys(device).sort(), [
    "createdAt", "expiresAt", "id", "ipAddress", "isCurrent", "lastUsedAt", "name", "userAgent",
  ]);
  assert.equal(device.isCurrent, true);
  assert.deepEqual(await list(bearer), [{ ...device, isCurrent: false }]);

  const renamed = data(await post(bearer, "rename", { id: device.id, name: "Ada's laptop" }));
  assert.equal(renamed.name, "Ada's laptop");
  refused(await post(client, "rename", { id: device.id, name: "two\nlines" }), 400, "INVALID_DEVICE_NAME");
  const stranger = await enrolled(server);
  refused(await post(stranger.client, "revoke", { id: device.id }), 404, "TRUSTED_DEVICE_NOT_FOUND");

  assert.deepEqual(data(await post(client, "revoke", { id: device.id })), { status: true });
  assert.equal(user.cookies.get("trust_device"), undefined, "its cookie is worth nothing");
  assert.deepEqual(await list(bearer), []);
  await challenged(server, email, user);
  assert.deepEqual(data(await post(bearer, "revoke-all")), { status: true });
});
