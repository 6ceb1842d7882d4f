// The real better-auth client in a page, where it is the variable `auth`.

import assert from "node:assert/strict";
import { Authenticator } from "../../clients/support/authenticator.mjs";

export const DESK = { width: 1280, height: 1000 };
export const PASSWORD = "correct horse battery staple";
export const ADA = { name: "Ada Lovelace", email: "ada@example.com", password: PASSWORD };

/** What a call to the client in the page returns; `method` is its name below `auth`. */
export function attempt(page, method, argument) {
  return page.evaluate(
    ([method, argument]) => method.split(".").reduce((object, name) => object[name], globalThis.auth)(argument),
    [method, argument],
  );
}

/** The data of a call, which must succeed. */
export async function call(page, method, argument) {
  const { data, error } = await attempt(page, method, argument);
  assert.equal(error, null, `${method}: ${JSON.stringify(error)}`);
  return data;
}

/** Signs up in the page, and sets up an authenticator app. */
export async function enrol(page) {
  await call(page, "signUp.email", ADA);
  const { totpURI } = await call(page, "twoFactor.enable", { password: PASSWORD });
  const authenticator = new Authenticator(totpURI);
  await call(page, "twoFactor.verifyTotp", { code: await authenticator.nextCode() });
  return authenticator;
}
