// Passkeys of Chromium's virtual authenticator, by the real client of @better-auth/passkey, in pages of an application on another
// origin. Both are on `localhost`: browsers know no passkeys of IP addresses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { snippet } from "../clients/support/readme.mjs";
import { startServer } from "../clients/support/server.mjs";
import { startApplication } from "./support/application.mjs";
import { openWindow, startBrowser } from "./support/browser.mjs";
import { ADA, DESK, PASSWORD, attempt, call, enrol } from "./support/client.mjs";

const HOST = "localhost";

/** An authenticator of the device, whose passkeys stay on it. */
const DEVICE = { transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };

/** The README's example, whose client and functions are variables of the page. */
const clientOf = (baseURL) => `
  ${snippet("passkeys", baseURL)}
  Object.assign(globalThis, { auth, addPasskey, signInWithPasskey });
`;

/** A page of an application, and the authenticators of its browser. */
async function openApplication(t) {
  const application = await startApplication(t, HOST);
  const server = await startServer(t, { COUNTERSIGN_TRUSTED_ORIGINS: application.origin }, HOST);
  await application.use(clientOf(server.baseURL));
  const { page } = await openWindow(await startBrowser(t), application.origin, DESK, [server.baseURL]);
  await page.goto("/");
  return { server, page, authenticators: await Authenticators.of(page) };
}

class Authenticators {
  #session;

  static async of(page) {
    const authenticators = new Authenticators();
    authenticators.#session = await page.context().newCDPSession(page);
    await authenticators.#session.send("WebAuthn.enable");
    return authenticators;
  }

  async add(options) {
    const { authenticatorId } = await this.#session.send("WebAuthn.addVirtualAuthenticator", {
      options: { protocol: "ctap2", automaticPresenceSimulation: true, ...options },
    });
    return authenticatorId;
  }

  remove(authenticatorId) {
    return this.#session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
  }

  async credentials(authenticatorId) {
    return (await this.#session.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  }
}

test("a passkey is registered, listed, renamed, signs in as two factors, and is deleted", async (t) => {
  const { page, authenticators } = await openApplication(t);
  const device = await authenticators.add(DEVICE);
  const { user } = await call(page, "signUp.email", ADA);
  const registered = await call(page, "passkey.addPasskey", { name: "My laptop" });
  assert.equal(registered.name, "My laptop");
  assert.equal(registered.userId, user.id);
  const [credential] = await authenticators.credentials(device);
  assert.deepEqual(
    [credential.rpId, credential.isResidentCredential, credential.userName, credential.userDisplayName],
    [HOST, true, "My laptop", ADA.email],
    "what the authenticator shows",
  );

  // A device holds one of a user, and is not asked for another.
  const second = await attempt(page, "passkey.addPasskey", { name: "again" });
  assert.match(second.error.code, /PREVIOUSLY_REGISTERED/);

  const [listed] = await call(page, "passkey.listUserPasskeys");
  assert.equal(listed.id, registered.id);
  assert.deepEqual([listed.deviceType, listed.backedUp, listed.transports], ["singleDevice", false, "internal"]);
  const { passkey } = await call(page, "passkey.updatePasskey", { id: listed.id, name: "The old one" });
  assert.equal(passkey.name, "The old one");

  await call(page, "signOut");
  assert.equal(await call(page, "getSession"), null);
  const signedIn = await call(page, "signIn.passkey");
  assert.equal(signedIn.user.email, ADA.email);
  const { session } = await call(page, "getSession");
  assert.notEqual(session.secondFactorAt, null, "the authenticator has verified the user");
  const [used] = await call(page, "passkey.listUserPasskeys");
  assert.ok(used.counter > listed.counter && used.lastUsedAt, JSON.stringify(used));

  await call(page, "passkey.deletePasskey", { id: listed.id });
  assert.deepEqual(await call(page, "passkey.listUserPasskeys"), []);
  await call(page, "signOut");
  const gone = await attempt(page, "signIn.passkey");
  assert.equal(gone.error.code, "PASSKEY_NOT_FOUND");
  assert.equal(await call(page, "getSession"), null);
});

test("a passkey that a provider syncs is shown as such, and signs in from another device", async (t) => {
  const { page, authenticators } = await openApplication(t);
  const synced = { ...DEVICE, defaultBackupEligibility: true, defaultBackupState: true };
  const phone = await authenticators.add(synced);
  await call(page, "signUp.email", ADA);
  const registered = await call(page, "passkey.addPasskey");
  assert.deepEqual([registered.deviceType, registered.backedUp], ["multiDevice", true]);
  assert.equal(registered.name, undefined);
  await call(page, "signOut");
  await call(page, "signIn.passkey");
  assert.equal((await call(page, "getSession")).user.email, ADA.email);
  assert.equal((await authenticators.credentials(phone)).length, 1);
});

test("the README's example adds a passkey and signs in with it", async (t) => {
  const { page, authenticators } = await openApplication(t);
  await authenticators.add(DEVICE);
  await call(page, "signUp.email", ADA);
  await call(page, "signOut");
  const refused = await page.evaluate(() => globalThis.addPasskey("My laptop"));
  assert.equal(refused.status, 401, "nobody is signed in");
  await call(page, "signIn.email", { email: ADA.email, password: PASSWORD });
  assert.equal(await page.evaluate(() => globalThis.addPasskey("My laptop")), null);
  await call(page, "signOut");
  assert.equal(await page.evaluate(() => globalThis.signInWithPasskey(() => "not asked for")), null);
  assert.equal((await call(page, "getSession")).user.email, ADA.email);
});

test("a key without a PIN is the second factor after a password", async (t) => {
  const { page, authenticators } = await openApplication(t);
  await enrol(page);
  // Chromium asks such a key only for passkeys that it is told of.
  await authenticators.add({ transport: "usb", hasResidentKey: false, hasUserVerification: false });
  await call(page, "passkey.addPasskey", { name: "My key" });
  await call(page, "signOut");

  const challenge = await call(page, "signIn.email", { email: ADA.email, password: PASSWORD });
  assert.equal(challenge.twoFactorRedirect, true);
  assert.deepEqual(challenge.twoFactorMethods, ["totp", "otp", "passkey"]);
  assert.equal(await call(page, "getSession"), null);
  const { user } = await call(page, "signIn.passkey");
  assert.equal(user.email, ADA.email);
  const { session } = await call(page, "getSession");
  assert.notEqual(session.secondFactorAt, null);
});

test("a passkey steps up a session of a trusted device", async (t) => {
  const { page, authenticators } = await openApplication(t);
  const app = await enrol(page);
  await authenticators.add(DEVICE);
  await call(page, "passkey.addPasskey");
  await call(page, "signOut");
  await call(page, "signIn.email", { email: ADA.email, password: PASSWORD });
  await call(page, "twoFactor.verifyTotp", { code: await app.nextCode(), trustDevice: true });
  await call(page, "signOut");
  const { twoFactorRedirect } = await call(page, "signIn.email", { email: ADA.email, password: PASSWORD });
  assert.equal(twoFactorRedirect, undefined);

  const refused = await attempt(page, "twoFactor.generateBackupCodes", { password: PASSWORD });
  assert.equal(refused.error.code, "SECOND_FACTOR_REQUIRED");
  await call(page, "signIn.passkey");
  const { backupCodes } = await call(page, "twoFactor.generateBackupCodes", { password: PASSWORD });
  assert.equal(backupCodes.length, 10);
});
