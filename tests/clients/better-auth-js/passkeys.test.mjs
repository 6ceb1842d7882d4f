// Passkeys, by the plugin of the client and a software authenticator.

import assert from "node:assert/strict";
import test, { after, beforeEach } from "node:test";
import { Browser } from "./support/browser.mjs";
import { cancel, meanwhile, newAuthenticator, openPage } from "./support/passkeys.mjs";
import { challenged, data, enrolled, PASSWORD, refused, signedUp } from "./support/people.mjs";
import { PASSKEY_ERROR_CODES, RELEASE } from "./support/release.mjs";
import { startServer } from "../support/server.mjs";

/** One server for all: each test has users of its own. Authenticators know no passkeys of IP addresses. */
const server = await startServer({ after }, {}, "localhost");

beforeEach(() => openPage(server.baseURL, newAuthenticator()));

const COOKIE = "better-auth-passkey";

/** The id of no passkey. */
const UNKNOWN = "0".repeat(32);

/** Checks that a call was refused with a code that the plugin knows, and with its text. */
function refusedInItsWords(result, status, code) {
  assert.equal(refused(result, status, code), PASSKEY_ERROR_CODES[code].message);
}

test("a passkey is registered, listed, renamed, signs in as both factors, and is deleted", async () => {
  const { email, user, client } = await enrolled(server);
  const registered = data(await client.passkey.addPasskey({ name: " My laptop " }));
  assert.equal(registered.name, "My laptop");
  assert.deepEqual([registered.deviceType, registered.backedUp, registered.counter], ["multiDevice", true, 0]);
  assert.equal(registered.userId, data(await client.getSession()).user.id);
  assert.equal(user.cookies.get(COOKIE), undefined, "the ceremony is over");
  assert.deepEqual(data(await client.passkey.listUserPasskeys()), [registered]);
  const renamed = data(await client.passkey.updatePasskey({ id: registered.id, name: "The old one" }));
  assert.deepEqual(renamed, { passkey: { ...registered, name: "The old one" } });

  data(await client.signOut());
  const signedIn = data(await client.signIn.passkey());
  assert.equal(signedIn.user.email, email);
  assert.deepEqual(user.redirects, [], "the second factor is not asked for");
  const { session } = data(await client.getSession());
  assert.equal(session.token, signedIn.session.token);
  assert.ok(session.secondFactorAt, "the authenticator has verified the user");
  const [used] = data(await client.passkey.listUserPasskeys());
  assert.equal(used.counter, 1);
  assert.ok(used.lastUsedAt >= used.createdAt);

  assert.deepEqual(data(await client.passkey.deletePasskey({ id: registered.id })), { status: true });
  assert.deepEqual(data(await client.passkey.listUserPasskeys()), []);
  data(await client.signOut());
  refusedInItsWords(await client.signIn.passkey(), 401, "PASSKEY_NOT_FOUND");
  assert.equal(data(await client.getSession()), null);
});

for (const algorithm of ["ES256", "RS256", "EdDSA"]) {
  test(`a key of ${algorithm} signs in`, async () => {
    openPage(server.baseURL, newAuthenticator({ algorithm }));
    const { email, client } = await signedUp(server);
    data(await client.passkey.addPasskey());
    data(await client.signOut());
    assert.equal(data(await client.signIn.passkey()).user.email, email);
  });
}

test("an account without a second factor has passkeys, which switch none on", async () => {
  const { email, user, client } = await signedUp(server);
  const registered = data(await client.passkey.addPasskey());
  assert.equal(registered.name, undefined);
  assert.equal(data(await client.getSession()).user.twoFactorEnabled, false);
  data(await client.signOut());
  assert.equal(data(await client.signIn.email({ email, password: PASSWORD })).user.email, email);
  assert.deepEqual(user.redirects, []);
  data(await client.passkey.deletePasskey({ id: registered.id }));
});

test("with a session asked for, registering shows the one that there is", { skip: RELEASE === "1.6" && "1.7 asks for it" }, async () => {
  const { email, client } = await signedUp(server);
  const before = data(await client.getSession());
  const { session, user, name } = data(await client.passkey.addPasskey({ name: "My laptop", createSession: true }));
  assert.equal(name, "My laptop");
  assert.equal(user.email, email);
  assert.equal(session.token, before.session.token);
});

test("a passkey whose authenticator has not verified the user is one factor", async () => {
  openPage(server.baseURL, newAuthenticator({ verifiesUser: false }));
  const { email, user, client, authenticator: app } = await enrolled(server);
  data(await client.passkey.addPasskey());
  data(await client.signOut());
  const response = data(await client.signIn.passkey());
  assert.equal(response.twoFactorRedirect, true);
  assert.equal(response.session, undefined);
  assert.deepEqual(user.redirects, [{ twoFactorMethods: ["totp", "otp"] }], "the passkey itself is not asked for again");
  assert.equal(data(await client.getSession()), null);
  const verified = data(await client.twoFactor.verifyTotp({ code: await app.nextCode() }));
  assert.equal(verified.user.email, email);
  assert.equal(data(await client.getSession()).session.token, verified.token);
});

for (const verifiesUser of [true, false]) {
  const whose = verifiesUser ? "that has verified the user" : "that has not";
  test(`a passkey is the second factor after a password, by an authenticator ${whose}`, async () => {
    openPage(server.baseURL, newAuthenticator({ verifiesUser }));
    const { email, user, client } = await enrolled(server);
    data(await client.passkey.addPasskey());
    data(await client.signOut());
    await challenged(server, email, user, ["totp", "otp", "passkey"]);
    assert.equal(data(await client.getSession()), null);
    const verified = data(await client.signIn.passkey());
    assert.equal(verified.user.email, email);
    assert.equal(user.cookies.get("two_factor"), undefined, "the challenge is over");
    const { session } = data(await client.getSession());
    assert.equal(session.token, verified.session.token);
    assert.ok(session.secondFactorAt);
  });
}

test("a passkey steps up a session of a trusted device", async () => {
  const { email, user, client, backupCodes } = await enrolled(server);
  const { id } = data(await client.passkey.addPasskey());
  data(await client.signOut());
  await challenged(server, email, user, ["totp", "otp", "passkey"]);
  data(await client.twoFactor.verifyBackupCode({ code: backupCodes[0], trustDevice: true }));
  data(await client.signOut());
  assert.equal(data(await client.signIn.email({ email, password: PASSWORD })).twoFactorRedirect, undefined);

  refused(await client.passkey.addPasskey(), 403, "SECOND_FACTOR_REQUIRED");
  refused(await client.passkey.deletePasskey({ id }), 403, "SECOND_FACTOR_REQUIRED");
  const before = user.cookies.get("session_token").value;
  data(await client.signIn.passkey());
  assert.notEqual(user.cookies.get("session_token").value, before, "the session is renewed");
  data(await client.passkey.deletePasskey({ id }));
});

test("a session of a trusted device is stepped up by no authenticator that has not verified the user", async () => {
  openPage(server.baseURL, newAuthenticator({ verifiesUser: false }));
  const { email, user, client, backupCodes } = await enrolled(server);
  data(await client.passkey.addPasskey());
  data(await client.signOut());
  await challenged(server, email, user, ["totp", "otp", "passkey"]);
  data(await client.twoFactor.verifyBackupCode({ code: backupCodes[0], trustDevice: true }));
  data(await client.signOut());
  data(await client.signIn.email({ email, password: PASSWORD }));
  refusedInItsWords(await client.signIn.passkey(), 400, "AUTHENTICATION_FAILED");
  refused(await client.twoFactor.generateBackupCodes({ password: PASSWORD }), 403, "SECOND_FACTOR_REQUIRED");
});

test("passkeys are managed in a session, and each user's by nobody else", async () => {
  const { client: nobody } = new Browser(server);
  refused(await nobody.passkey.addPasskey(), 401, "UNAUTHORIZED");
  refused(await nobody.passkey.listUserPasskeys(), 401, "UNAUTHORIZED");
  refused(await nobody.passkey.updatePasskey({ id: UNKNOWN, name: "Mine" }), 401, "UNAUTHORIZED");
  refused(await nobody.passkey.deletePasskey({ id: UNKNOWN }), 401, "UNAUTHORIZED");
  const ada = await signedUp(server);
  const { id } = data(await ada.client.passkey.addPasskey({ name: "My laptop" }));
  const other = await signedUp(server);
  assert.deepEqual(data(await other.client.passkey.listUserPasskeys()), []);
  for (const unknown of [id, UNKNOWN]) {
    refusedInItsWords(await other.client.passkey.updatePasskey({ id: unknown, name: "Mine" }), 404, "PASSKEY_NOT_FOUND");
    refusedInItsWords(await other.client.passkey.deletePasskey({ id: unknown }), 404, "PASSKEY_NOT_FOUND");
  }
  refused(await ada.client.passkey.updatePasskey({ id, name: " " }), 400, "VALIDATION_ERROR");
  assert.deepEqual(data(await ada.client.passkey.listUserPasskeys()).map(({ name }) => name), ["My laptop"]);
});

test("options are for one response, and for the browser that asked for them", async () => {
  const { user, client } = await signedUp(server);
  const loseCookie = () => user.cookies.delete(COOKIE);
  refusedInItsWords(await meanwhile(loseCookie, () => client.passkey.addPasskey()), 400, "CHALLENGE_NOT_FOUND");
  data(await client.passkey.addPasskey());
  data(await client.signOut());

  let cookie;
  const keep = () => (cookie = user.cookies.get(COOKIE));
  const { webauthn } = await meanwhile(keep, () => client.signIn.passkey({ returnWebAuthnResponse: true }));
  assert.equal(cookie.maxAge, 300);
  data(await client.signOut());
  user.cookies.put(cookie);
  const { clientExtensionResults, ...response } = webauthn.response;
  const again = await client.$fetch("/passkey/verify-authentication", { method: "POST", body: { response } });
  refusedInItsWords(again, 400, "CHALLENGE_NOT_FOUND");
  refusedInItsWords(await meanwhile(loseCookie, () => client.signIn.passkey()), 400, "CHALLENGE_NOT_FOUND");
  assert.equal(data(await client.getSession()), null);
});

test("options of one user register nothing for another", async () => {
  const { email } = await signedUp(server);
  const { user, client } = await signedUp(server);
  const somebodyElseSignsIn = async () => data(await client.signIn.email({ email, password: PASSWORD }));
  const result = await meanwhile(somebodyElseSignsIn, () => client.passkey.addPasskey());
  refusedInItsWords(result, 401, "YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY");
  assert.deepEqual(data(await client.passkey.listUserPasskeys()), []);
});

test("a page of another origin registers nothing and signs nobody in", async () => {
  const { client } = await signedUp(server);
  const elsewhere = "http://localhost:1";
  const authenticator = newAuthenticator();
  openPage(elsewhere, authenticator);
  refusedInItsWords(await client.passkey.addPasskey(), 400, "FAILED_TO_VERIFY_REGISTRATION");
  assert.deepEqual(data(await client.passkey.listUserPasskeys()), []);

  openPage(server.baseURL, authenticator);
  data(await client.passkey.addPasskey());
  data(await client.signOut());
  openPage(elsewhere, authenticator);
  refusedInItsWords(await client.signIn.passkey(), 400, "AUTHENTICATION_FAILED");
  assert.equal(data(await client.getSession()), null);
});

test("a user who cancels is asked again the next time", async () => {
  const { email, client } = await signedUp(server);
  const register = () => client.passkey.addPasskey();
  const signIn = () => client.signIn.passkey();
  assert.equal((await meanwhile(cancel, register)).error.status, 400);
  assert.deepEqual(data(await client.passkey.listUserPasskeys()), []);
  data(await register());
  data(await client.signOut());
  assert.equal((await meanwhile(cancel, signIn)).error.status, 400);
  assert.equal(data(await client.getSession()), null);
  assert.equal(data(await signIn()).user.email, email);
});

test("a user has twenty passkeys and no more", async () => {
  const { client } = await signedUp(server);
  for (let count = 0; count < 20; count += 1) {
    openPage(server.baseURL, newAuthenticator());
    data(await client.passkey.addPasskey());
  }
  openPage(server.baseURL, newAuthenticator());
  refused(await client.passkey.addPasskey(), 400, "TOO_MANY_PASSKEYS");
  assert.equal(data(await client.passkey.listUserPasskeys()).length, 20);
});

test("a server without a host name has no passkeys", async (t) => {
  const addressed = await startServer(t);
  const { client } = await signedUp(addressed);
  refused(await client.passkey.addPasskey(), 404, "NOT_FOUND");
  refused(await client.passkey.listUserPasskeys(), 404, "NOT_FOUND");
  refused(await client.signIn.passkey(), 404, "NOT_FOUND");
});
