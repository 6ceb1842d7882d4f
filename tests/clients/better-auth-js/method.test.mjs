// The method of a second factor, which clients from 1.7 on choose and see. Clients of 1.6 send it on as it is given.

import assert from "node:assert/strict";
import test from "node:test";
import { Authenticator } from "../support/authenticator.mjs";
import { Browser } from "./support/browser.mjs";
import { data, enrolled, PASSWORD, refused, signedUp } from "./support/people.mjs";
import { startServer } from "../support/server.mjs";

/** Signs in with the password; says what is asked for next. */
async function methodsAtSignIn(user, email) {
  const before = user.redirects.length;
  data(await user.client.signIn.email({ email, password: PASSWORD }));
  assert.equal(user.redirects.length, before + 1, "a second factor is asked for");
  return user.redirects.at(-1).twoFactorMethods;
}

test("setting up an app says that it is one", async (t) => {
  const server = await startServer(t);
  const { client } = await signedUp(server);
  for (const request of [{ password: PASSWORD }, { password: PASSWORD, method: "totp" }]) {
    const { method, totpURI, backupCodes } = data(await client.twoFactor.enable(request));
    assert.equal(method, "totp");
    assert.match(totpURI, /^otpauth:\/\/totp\//);
    assert.equal(backupCodes.length, 10);
    assert.equal(data(await client.getSession()).user.twoFactorEnabled, false, "nothing is on before it is confirmed");
  }
});

test("mail alone becomes the second factor, with the password and at once", async (t) => {
  const server = await startServer(t);
  const { email, user, client } = await signedUp(server);
  refused(await client.twoFactor.enable({ password: "wrong", method: "otp" }), 400, "INVALID_PASSWORD");
  assert.equal(data(await client.getSession()).user.twoFactorEnabled, false);

  const before = user.cookies.get("session_token").value;
  const { method, totpURI } = data(await client.twoFactor.enable({ password: PASSWORD, method: "otp" }));
  assert.equal(method, "otp");
  assert.equal(totpURI, undefined);
  const after = user.cookies.get("session_token").value;
  assert.notEqual(after, before, "the session is renewed");
  assert.equal(user.response.headers.get("set-auth-token"), decodeURIComponent(after));
  assert.equal(data(await client.getSession()).user.twoFactorEnabled, true);
  const stale = new Browser(server);
  stale.cookies.put({ name: "better-auth.session_token", value: before });
  assert.equal(data(await stale.client.getSession()), null, "the session before it is over");

  data(await client.signOut());
  assert.deepEqual(await methodsAtSignIn(user, email), ["otp"]);
  refused(await client.twoFactor.verifyTotp({ code: "123456" }), 400, "TOTP_NOT_ENABLED");
  data(await client.twoFactor.sendOtp());
  const verified = data(await client.twoFactor.verifyOtp({ code: await server.mailedCode(email) }));
  assert.equal(verified.user.twoFactorEnabled, true);
  assert.equal(data(await client.getSession()).session.token, verified.token);
});

test("an app beside mail counts once it is confirmed", async (t) => {
  const server = await startServer(t);
  const { email, client } = await signedUp(server);
  data(await client.twoFactor.enable({ password: PASSWORD, method: "otp" }));
  // Managing factors takes a second factor that was passed within the hour.
  data(await client.twoFactor.sendOtp());
  data(await client.twoFactor.verifyOtp({ code: await server.mailedCode(email) }));

  const { method, totpURI } = data(await client.twoFactor.enable({ password: PASSWORD }));
  assert.equal(method, "totp");
  assert.deepEqual(await methodsAtSignIn(new Browser(server), email), ["otp"]);
  const authenticator = new Authenticator(totpURI);
  data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  const elsewhere = new Browser(server);
  assert.deepEqual(await methodsAtSignIn(elsewhere, email), ["totp", "otp"]);
  data(await elsewhere.client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
});

test("mail beside an app leaves the app", async (t) => {
  const server = await startServer(t);
  const { email, client, authenticator } = await enrolled(server);
  assert.equal(data(await client.twoFactor.enable({ password: PASSWORD, method: "otp" })).method, "otp");
  const elsewhere = new Browser(server);
  assert.deepEqual(await methodsAtSignIn(elsewhere, email), ["totp", "otp"]);
  data(await elsewhere.client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
});

test("mail alone is switched off with the password", async (t) => {
  const server = await startServer(t);
  const { email, user, client } = await signedUp(server);
  data(await client.twoFactor.enable({ password: PASSWORD, method: "otp" }));
  data(await client.twoFactor.sendOtp());
  data(await client.twoFactor.verifyOtp({ code: await server.mailedCode(email) }));
  assert.deepEqual(data(await client.twoFactor.disable({ password: PASSWORD })), { status: true });
  data(await client.signOut());
  assert.equal(data(await client.signIn.email({ email, password: PASSWORD })).redirect, false);
  assert.deepEqual(user.redirects, []);
});

test("other methods are refused", async (t) => {
  const server = await startServer(t);
  const { client } = await signedUp(server);
  for (const method of ["sms", "", "TOTP", 5, null]) {
    const message = refused(await client.twoFactor.enable({ password: PASSWORD, method }), 400, "VALIDATION_ERROR");
    assert.match(message, /^\[body\.method\] /);
  }
  assert.equal(data(await client.getSession()).user.twoFactorEnabled, false);
});

test("the session can be asked for by POST, as clients that defer its refresh do", async (t) => {
  const server = await startServer(t);
  const { client } = await signedUp(server);
  const shown = data(await client.getSession());
  assert.deepEqual(data(await client.$fetch("/get-session", { method: "POST" })), shown);
  assert.equal(data(await new Browser(server).client.$fetch("/get-session", { method: "POST" })), null);
});
