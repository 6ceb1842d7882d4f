// Signing in with a second factor.

import assert from "node:assert/strict";
import test from "node:test";
import { Browser } from "./support/browser.mjs";
import { challenged, data, enrolled, PASSWORD, refused } from "./support/people.mjs";
import { startServer } from "../support/server.mjs";

test("sign out, sign in, authenticator app", async (t) => {
  const server = await startServer(t);
  const { email, user, client, authenticator } = await enrolled(server);
  assert.deepEqual(data(await client.signOut()), { success: true });
  assert.equal(user.cookies.get("session_token"), undefined);
  assert.equal(data(await client.getSession()), null);

  const { response } = await challenged(server, email, user);
  const { twoFactorToken, token, user: nobody, ...rest } = response;
  assert.deepEqual(rest, { redirect: false, twoFactorRedirect: true, twoFactorMethods: ["totp", "otp"] });
  assert.match(twoFactorToken, /^2fa-/);
  assert.equal(token, twoFactorToken);
  assert.deepEqual([nobody.id, nobody.email, nobody.name], [undefined, email, ""]);
  assert.equal(user.cookies.get("session_token"), undefined, "the password alone opens no session");
  assert.equal(data(await client.getSession()), null);
  const challenge = user.cookies.get("two_factor");
  assert.equal(challenge.maxAge, 600);
  assert.deepEqual(challenge.attributes, ["max-age=600", "path=/", "httponly", "samesite=lax"]);

  const verified = data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  assert.equal(verified.status, true);
  assert.equal(verified.user.email, email);
  assert.equal(user.cookies.get("two_factor"), undefined, "the challenge is over");
  assert.equal(user.cookies.get("trust_device"), undefined, "nobody asked to trust this device");
  const session = user.cookies.get("session_token");
  assert.deepEqual(session.attributes, ["max-age=604800", "path=/", "httponly", "samesite=lax"]);
  assert.ok(decodeURIComponent(session.value).startsWith(`${verified.token}.`));
  assert.equal(data(await client.getSession()).session.token, verified.token);
  assert.equal(user.redirects.length, 1);
});

test("sign in, mailed code", async (t) => {
  const server = await startServer(t);
  const { email } = await enrolled(server);
  const { user, client } = await challenged(server, email);

  refused(await client.twoFactor.verifyOtp({ code: "123456" }), 400, "OTP_HAS_EXPIRED");
  assert.deepEqual(data(await client.twoFactor.sendOtp()), { status: true });
  const first = await server.mailedCode(email);
  assert.match(first, /^\d{6}$/);
  assert.deepEqual(data(await client.twoFactor.sendOtp({ trustDevice: true })), { status: true });
  const second = await server.mailedCode(email);
  assert.equal((await server.messagesTo(email)).length, 2);
  if (first !== second) refused(await client.twoFactor.verifyOtp({ code: first }), 401, "INVALID_CODE");

  const verified = data(await client.twoFactor.verifyOtp({ code: second }));
  assert.equal(verified.user.email, email);
  assert.equal(verified.user.twoFactorEnabled, true);
  assert.equal(data(await client.getSession()).session.token, verified.token);
  assert.equal(user.cookies.get("two_factor"), undefined);
  refused(await client.twoFactor.verifyOtp({ code: second }), 400, "OTP_HAS_EXPIRED");
});

test("a mailed code belongs to the challenge it was sent for", async (t) => {
  const server = await startServer(t);
  const { email } = await enrolled(server);
  const mine = await challenged(server, email);
  const other = await challenged(server, email);
  data(await mine.client.twoFactor.sendOtp());
  const code = await server.mailedCode(email);
  refused(await other.client.twoFactor.verifyOtp({ code }), 400, "OTP_HAS_EXPIRED");
  data(await mine.client.twoFactor.verifyOtp({ code }));
});

test("sign in, backup code", async (t) => {
  const server = await startServer(t);
  const { email, backupCodes } = await enrolled(server);
  const [code] = backupCodes;

  const first = await challenged(server, email);
  const verified = data(await first.client.twoFactor.verifyBackupCode({ code }));
  assert.equal(verified.user.email, email);
  assert.equal(verified.session.token, verified.token);
  assert.equal(verified.session.userId, verified.user.id);
  assert.equal(data(await first.client.getSession()).session.token, verified.token);

  const second = await challenged(server, email);
  refused(await second.client.twoFactor.verifyBackupCode({ code }), 401, "INVALID_BACKUP_CODE");
  refused(await second.client.twoFactor.verifyBackupCode({ code: backupCodes[1].slice(1) }), 401, "INVALID_BACKUP_CODE");
  data(await second.client.twoFactor.verifyBackupCode({ code: ` ${backupCodes[1]} ` }));
});

test("a backup code can be checked without opening a session", async (t) => {
  const server = await startServer(t);
  const { email, backupCodes } = await enrolled(server);
  const { user, client } = await challenged(server, email);
  const verified = data(await client.twoFactor.verifyBackupCode({ code: backupCodes[0], disableSession: true }));
  assert.deepEqual([verified.token, verified.session.token], [undefined, ""]);
  assert.equal(user.cookies.get("session_token"), undefined);
  assert.equal(data(await client.getSession()), null);
  refused(await client.twoFactor.verifyBackupCode({ code: backupCodes[1] }), 401, "INVALID_TWO_FACTOR_COOKIE");
});

test("a challenge is answered once", async (t) => {
  const server = await startServer(t);
  const { email, authenticator } = await enrolled(server);
  const { user, client } = await challenged(server, email);
  const copy = new Browser(server);
  copy.cookies.put(user.cookies.get("two_factor"));
  data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  const again = await copy.client.twoFactor.verifyTotp({ code: await authenticator.nextCode() });
  refused(again, 401, "INVALID_TWO_FACTOR_COOKIE");
});

test("a challenge takes five tries, of whatever factor", async (t) => {
  const server = await startServer(t);
  const { email, authenticator } = await enrolled(server);
  const { user, client } = await challenged(server, email);
  for (let tries = 1; tries <= 3; tries += 1) {
    refused(await client.twoFactor.verifyTotp({ code: authenticator.wrongCode() }), 401, "INVALID_CODE");
  }
  for (const code of ["aaaaa-aaaaa", "bbbbb-bbbbb"]) {
    refused(await client.twoFactor.verifyBackupCode({ code }), 401, "INVALID_BACKUP_CODE");
  }
  const sixth = await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() });
  refused(sixth, 400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE");
  assert.equal(user.cookies.get("two_factor"), undefined, "the cookie of a dead challenge is cleared");
  refused(await client.twoFactor.sendOtp(), 401, "INVALID_TWO_FACTOR_COOKIE");
  const next = await challenged(server, email, user);
  data(await next.client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
});

test("without session and challenge there is nothing to verify", async (t) => {
  const server = await startServer(t);
  const { client } = new Browser(server);
  refused(await client.twoFactor.sendOtp(), 401, "INVALID_TWO_FACTOR_COOKIE");
  refused(await client.twoFactor.verifyTotp({ code: "123456" }), 401, "INVALID_TWO_FACTOR_COOKIE");
  refused(await client.twoFactor.verifyOtp({ code: "123456" }), 401, "INVALID_TWO_FACTOR_COOKIE");
  refused(await client.twoFactor.verifyBackupCode({ code: "aaaaa-aaaaa" }), 401, "INVALID_TWO_FACTOR_COOKIE");
});

test("a session that is not to be remembered stays so over the challenge", async (t) => {
  const server = await startServer(t);
  const { email, authenticator } = await enrolled(server);
  const user = new Browser(server);
  data(await user.client.signIn.email({ email, password: PASSWORD, rememberMe: false }));
  data(await user.client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  assert.equal(user.cookies.get("session_token").maxAge, undefined, "the cookie ends with the browser");
  const { session } = data(await user.client.getSession());
  assert.equal(session.expiresAt - session.createdAt, 24 * 60 * 60 * 1000);
});
