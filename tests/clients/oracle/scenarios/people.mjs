// What scenarios begin with. The labels of the steps begin with `as`.

import { Authenticator } from "../../support/authenticator.mjs";
import { PASSWORD } from "../support/world.mjs";

const PREFIX = "better-auth.";

/** Somebody who just signed up, at a browser. */
export async function signedUp(world, as = "sign up") {
  const email = world.newEmail();
  const browser = world.browser();
  const { body } = await browser.post(as, "/sign-up/email", { name: "Ada Lovelace", email, password: PASSWORD });
  return { email, browser, id: body.user.id, token: body.token };
}

/** Somebody with an authenticator app and backup codes, at the browser where it was set up. */
export async function enrolled(world, as = "") {
  const person = await signedUp(world, `${as}sign up`);
  const enabled = await person.browser.post(`${as}set up an app`, "/two-factor/enable", { password: PASSWORD });
  const authenticator = new Authenticator(enabled.body.totpURI);
  const code = await authenticator.nextCode();
  await person.browser.post(`${as}confirm the app`, "/two-factor/verify-totp", { code });
  return { ...person, authenticator, backupCodes: enabled.body.backupCodes };
}

/** A browser that has the right password and waits for the second factor. */
export async function challenged(world, email, as, browser = world.browser()) {
  await browser.post(as, "/sign-in/email", { email, password: PASSWORD });
  return browser;
}

/** A cookie of a browser, as it was sent. */
export function cookieOf(browser, name) {
  return browser.cookies.get(name);
}

/** The header `Cookie` with one cookie in it. */
export function cookieHeader(name, value) {
  return `${PREFIX}${name}=${value}`;
}

export { PASSWORD };
