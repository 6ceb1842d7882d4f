// Apps without cookies.

import assert from "node:assert/strict";
import test from "node:test";
import { App } from "./support/browser.mjs";
import { challenged, data, enrolled, PASSWORD, refused, signedUp } from "./support/people.mjs";
import { startServer } from "../support/server.mjs";

test("an app lives on set-auth-token", async (t) => {
  const server = await startServer(t);
  const { email, user: app, client } = await signedUp(server, new App(server));
  assert.match(app.token, /^[A-Za-z0-9]{32}\.[A-Za-z0-9+/]{43}=$/, "sign-up gives a token");
  assert.ok(app.response.headers.get("access-control-expose-headers").toLowerCase().includes("set-auth-token"));
  assert.equal(data(await client.getSession()).user.email, email);
  assert.equal(data(await client.listSessions()).length, 1);

  const atSignUp = app.token;
  data(await client.signOut());
  assert.equal(data(await client.getSession()), null);
  const { token: raw } = data(await client.signIn.email({ email, password: PASSWORD }));
  assert.notEqual(app.token, atSignUp);
  assert.ok(app.token.startsWith(`${raw}.`));

  for (const form of [raw, encodeURIComponent(app.token)]) {
    assert.equal(data(await new App(server, form).client.getSession()).session.token, raw);
  }
  const forged = `${app.token.slice(0, 33)}${"A".repeat(43)}=`;
  assert.equal(data(await new App(server, forged).client.getSession()), null);
});

test("an app sets up, uses and switches off a second factor", async (t) => {
  const server = await startServer(t);
  const { email, user: app, client, authenticator } = await enrolled(server, new App(server));
  const afterEnrolment = app.token;
  assert.equal(data(await client.getSession()).user.twoFactorEnabled, true, "set-auth-token followed the new session");

  data(await client.twoFactor.getTotpUri({ password: PASSWORD }));
  assert.equal(app.response.headers.get("set-auth-token"), null, "there is none while the session goes on");
  data(await client.signOut());
  assert.equal(app.response.headers.get("set-auth-token"), null);
  app.token = undefined;
  const { response } = await challenged(server, email, app);
  assert.equal(app.response.headers.get("set-auth-token"), null, "the password alone gives no token");

  app.token = response.twoFactorToken;
  const verified = data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  assert.ok(app.token.startsWith(`${verified.token}.`));
  assert.notEqual(app.token, afterEnrolment);
  assert.equal(data(await client.getSession()).session.token, verified.token);

  const beforeDisable = app.token;
  assert.deepEqual(data(await client.twoFactor.disable({ password: PASSWORD })), { status: true });
  assert.notEqual(app.token, beforeDisable);
  assert.equal(data(await client.getSession()).user.twoFactorEnabled, false);
  assert.equal(data(await new App(server, beforeDisable).client.getSession()), null);
});

test("an app completes a challenge with a mailed code or a backup code", async (t) => {
  const server = await startServer(t);
  const { email, backupCodes } = await enrolled(server);

  const byMail = await challenged(server, email, new App(server));
  byMail.user.token = byMail.response.twoFactorToken;
  data(await byMail.client.twoFactor.sendOtp());
  const mailed = data(await byMail.client.twoFactor.verifyOtp({ code: await server.mailedCode(email) }));
  assert.equal(data(await byMail.client.getSession()).session.token, mailed.token);

  const byBackupCode = await challenged(server, email, new App(server));
  byBackupCode.user.token = byBackupCode.response.twoFactorToken;
  const backed = data(await byBackupCode.client.twoFactor.verifyBackupCode({ code: backupCodes[0] }));
  assert.equal(data(await byBackupCode.client.getSession()).session.token, backed.token);
});

test("without cookies, no origin is asked for, and a foreign one is refused", async (t) => {
  const server = await startServer(t);
  const { email, user: app, client } = await signedUp(server, new App(server));
  // Node's fetch sends `Sec-Fetch-Mode` and no `Sec-Fetch-Site`, which pages always send with it.
  app.origin = undefined;
  data(await client.twoFactor.enable({ password: PASSWORD }));
  data(await client.signOut());
  data(await client.signIn.email({ email, password: PASSWORD }));
  app.origin = "https://elsewhere.example";
  refused(await client.signIn.email({ email, password: PASSWORD }), 403, "INVALID_ORIGIN");
});

test("the token of a challenge works once, and opens nothing else", async (t) => {
  const server = await startServer(t);
  const { email, authenticator, backupCodes } = await enrolled(server);
  const { user: app, client, response } = await challenged(server, email, new App(server));
  app.token = response.twoFactorToken;

  const password = PASSWORD;
  assert.equal(data(await client.getSession()), null);
  refused(await client.listSessions(), 401, "UNAUTHORIZED");
  refused(await client.twoFactor.enable({ password }), 401, "UNAUTHORIZED");
  refused(await client.twoFactor.getTotpUri({ password }), 401, "UNAUTHORIZED");
  refused(await client.twoFactor.generateBackupCodes({ password }), 401, "UNAUTHORIZED");
  refused(await client.twoFactor.disable({ password }), 401, "UNAUTHORIZED");
  refused(await client.changePassword({ currentPassword: password, newPassword: "12345678" }), 401, "UNAUTHORIZED");

  data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  app.token = response.twoFactorToken;
  refused(await client.twoFactor.verifyBackupCode({ code: backupCodes[0] }), 401, "INVALID_TWO_FACTOR_COOKIE");
});
