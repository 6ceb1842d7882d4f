// Setting up a second factor.

import assert from "node:assert/strict";
import test from "node:test";
import { Authenticator } from "../support/authenticator.mjs";
import { Browser } from "./support/browser.mjs";
import { data, enrolled, PASSWORD, refused, signedUp } from "./support/people.mjs";
import { startServer } from "../support/server.mjs";

test("an authenticator app is set up and confirmed", async (t) => {
  const server = await startServer(t);
  const { email, user, client } = await signedUp(server);

  const { totpURI, backupCodes } = data(await client.twoFactor.enable({ password: PASSWORD }));
  const [label, query] = totpURI.split("?");
  assert.equal(label, `otpauth://totp/Countersign:${encodeURIComponent(email)}`);
  assert.match(query, /^secret=[A-Z2-7]{52}&issuer=Countersign&digits=6&period=30$/);
  assert.equal(new Set(backupCodes).size, 10);
  for (const code of backupCodes) assert.match(code, /^[A-Za-z0-9]{5}-[A-Za-z0-9]{5}$/);
  assert.equal(data(await client.getSession()).user.twoFactorEnabled, false, "nothing is on before it is confirmed");
  assert.equal(data(await client.twoFactor.getTotpUri({ password: PASSWORD })).totpURI, totpURI);

  const authenticator = new Authenticator(totpURI);
  refused(await client.twoFactor.verifyTotp({ code: authenticator.wrongCode() }), 401, "INVALID_CODE");
  const before = user.cookies.get("session_token").value;
  const verified = data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  assert.equal(verified.status, true);
  assert.equal(verified.user.email, email);
  assert.equal(verified.user.twoFactorEnabled, true);

  const session = data(await client.getSession());
  assert.equal(session.user.twoFactorEnabled, true);
  assert.equal(session.session.token, verified.token, "the token in the response is that of the new session");
  assert.notEqual(user.cookies.get("session_token").value, before);
  const stale = new Browser(server);
  stale.cookies.put({ name: "better-auth.session_token", value: before });
  assert.equal(data(await stale.client.getSession()), null, "the session before it is over");
});

test("the issuer of a URI can be chosen", async (t) => {
  const server = await startServer(t);
  const { client, email } = await signedUp(server);
  const { totpURI } = data(await client.twoFactor.enable({ password: PASSWORD, issuer: "Example Shop & Co" }));
  assert.ok(totpURI.startsWith(`otpauth://totp/Example%20Shop%20%26%20Co:${encodeURIComponent(email)}?`), totpURI);
  assert.ok(totpURI.includes("&issuer=Example%20Shop%20%26%20Co&"), totpURI);
});

test("starting again makes the first secret worthless", async (t) => {
  const server = await startServer(t);
  const { client } = await signedUp(server);
  const first = new Authenticator(data(await client.twoFactor.enable({ password: PASSWORD })).totpURI);
  const second = new Authenticator(data(await client.twoFactor.enable({ password: PASSWORD })).totpURI);
  refused(await client.twoFactor.verifyTotp({ code: await first.nextCode() }), 401, "INVALID_CODE");
  data(await client.twoFactor.verifyTotp({ code: await second.nextCode() }));
});

test("a code of the app is accepted once", async (t) => {
  const server = await startServer(t);
  const { client } = await signedUp(server);
  const authenticator = new Authenticator(data(await client.twoFactor.enable({ password: PASSWORD })).totpURI);
  const code = await authenticator.nextCode();
  data(await client.twoFactor.verifyTotp({ code }));
  refused(await client.twoFactor.verifyTotp({ code }), 401, "INVALID_CODE");
});

test("a mailed code confirms a set-up too", async (t) => {
  const server = await startServer(t);
  const { email, client } = await signedUp(server);
  data(await client.twoFactor.enable({ password: PASSWORD }));
  assert.deepEqual(data(await client.twoFactor.sendOtp()), { status: true });
  const verified = data(await client.twoFactor.verifyOtp({ code: await server.mailedCode(email) }));
  assert.equal(verified.user.twoFactorEnabled, true);
  const session = data(await client.getSession());
  assert.equal(session.session.token, verified.token);
  assert.equal(session.user.twoFactorEnabled, true);
});

test("setting up takes the password and a session", async (t) => {
  const server = await startServer(t);
  const { client } = await signedUp(server);
  const wrong = await client.twoFactor.enable({ password: "wrong" });
  assert.equal(refused(wrong, 400, "INVALID_PASSWORD"), "Invalid password");
  refused(await client.twoFactor.getTotpUri({ password: PASSWORD }), 400, "TOTP_NOT_ENABLED");
  refused(await client.twoFactor.generateBackupCodes({ password: PASSWORD }), 400, "TWO_FACTOR_NOT_ENABLED");
  refused(await new Browser(server).client.twoFactor.enable({ password: PASSWORD }), 401, "UNAUTHORIZED");
});

test("a new app takes the place of the old one when it is confirmed", async (t) => {
  const server = await startServer(t);
  const { client, authenticator, backupCodes } = await enrolled(server);
  const again = data(await client.twoFactor.enable({ password: PASSWORD }));
  data(await client.twoFactor.verifyBackupCode({ code: backupCodes[0] }));
  data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));

  const next = new Authenticator(again.totpURI);
  data(await client.twoFactor.verifyTotp({ code: await next.nextCode() }));
  refused(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }), 401, "INVALID_CODE");
  refused(await client.twoFactor.verifyBackupCode({ code: backupCodes[1] }), 401, "INVALID_BACKUP_CODE");
  data(await client.twoFactor.verifyBackupCode({ code: again.backupCodes[0] }));
});
