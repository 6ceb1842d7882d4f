// People with accounts, at the point where a test begins.

import assert from "node:assert/strict";
import { Authenticator } from "../../support/authenticator.mjs";
import { Browser } from "./browser.mjs";

export const PASSWORD = "correct horse battery staple";

let count = 0;

/** The data of a call that must succeed. */
export function data(result) {
  assert.equal(result.error, null, `refused: ${JSON.stringify(result.error)}`);
  return result.data;
}

/** Checks that a call was refused, with exactly this status, code and shape; returns the message. */
export function refused(result, status, code) {
  assert.equal(result.data, null, `not refused: ${JSON.stringify(result.data)}`);
  const { message, statusText, ...rest } = result.error;
  assert.deepEqual(rest, { status, code });
  assert.equal(typeof message, "string");
  assert.notEqual(message, "");
  assert.equal(typeof statusText, "string");
  return message;
}

/** An address that nobody has yet. */
export function newEmail() {
  count += 1;
  return `ada.${process.pid}.${count}@example.com`;
}

/** Somebody who just signed up, at a browser. */
export async function signedUp(server, user = new Browser(server)) {
  const email = newEmail();
  data(await user.client.signUp.email({ name: "Ada Lovelace", email, password: PASSWORD }));
  return { email, user, client: user.client };
}

/** Somebody with an authenticator app and backup codes, at the browser where it was set up. */
export async function enrolled(server, user) {
  const person = await signedUp(server, user);
  const { totpURI, backupCodes } = data(await person.client.twoFactor.enable({ password: PASSWORD }));
  const authenticator = new Authenticator(totpURI);
  data(await person.client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
  return { ...person, authenticator, backupCodes };
}

/** A browser that has the right password and waits for the second factor, which can be one of these. */
export async function challenged(server, email, user = new Browser(server), twoFactorMethods = ["totp", "otp"]) {
  const before = user.redirects.length;
  const response = data(await user.client.signIn.email({ email, password: PASSWORD }));
  assert.equal(user.redirects.length, before + 1, "onTwoFactorRedirect is called once");
  assert.deepEqual(user.redirects.at(-1), { twoFactorMethods });
  return { user, client: user.client, response };
}
