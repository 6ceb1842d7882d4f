// Passkeys, with the real FusionAuth client of a service, which hands options on to a browser and its responses back.

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { after, test } from "node:test";
import {
  APPLICATION,
  PASSWORD,
  challenged,
  clientWith,
  enrolled,
  newAuthenticator,
  newUser,
  refused,
  startService,
  succeeds,
} from "./support.mjs";

/** One server for all: each test has users of its own. Authenticators know no passkeys of IP addresses. */
const { server, client } = await startService({ after }, {}, "localhost");

/** What a browser without a key of the service sends. */
const browser = clientWith(server, null);

const UNKNOWN = "00000000-0000-4000-8000-000000000000";

/** The response of a browser that registers a passkey for a user. */
async function created(user, authenticator, { origin = server.baseURL, ...fields } = {}) {
  const request = { userId: user.id, displayName: "Ada's laptop", workflow: "general", ...fields };
  const { options } = await succeeds(client.startWebAuthnRegistration(request));
  return { options, credential: authenticator.createJSON(origin, options) };
}

/** Registers a passkey for a user. */
async function registered(user, authenticator, fields) {
  const { credential } = await created(user, authenticator, fields);
  return (await succeeds(browser.completeWebAuthnRegistration({ userId: user.id, credential }))).credential;
}

/** The response of a browser that uses a passkey of a user, or one that completes a challenge. */
async function asserted(authenticator, who, { origin = server.baseURL } = {}) {
  const request = { applicationId: APPLICATION, workflow: "bootstrap", ...who };
  const { options } = await succeeds(client.startWebAuthnLogin(request));
  return authenticator.getJSON(origin, options);
}

/** The codes of a 400, by the field or under `general`. */
function codes({ fieldErrors = {}, generalErrors = [] }) {
  const fields = Object.entries(fieldErrors).map(([field, errors]) => [field, errors.map(({ code }) => code)]);
  const general = generalErrors.length > 0 ? [["general", generalErrors.map(({ code }) => code)]] : [];
  return Object.fromEntries([...fields, ...general]);
}

test("a passkey is registered, read, listed, logs in, is shown and is deleted", async () => {
  const user = await newUser(client);
  const authenticator = newAuthenticator();
  const { options, credential: response } = await created(user, authenticator, { name: "ada", userAgent: "Firefox" });
  assert.equal(options.rp.id, "localhost");
  assert.deepEqual([options.user.name, options.user.displayName], ["ada", "Ada's laptop"]);
  assert.equal(Buffer.from(options.user.id, "base64url").toString(), user.id);
  const complete = { userId: user.id, credential: response };
  const { credential } = await succeeds(browser.completeWebAuthnRegistration(complete));
  assert.equal(credential.userId, user.id);
  assert.equal(credential.credentialId, response.id);
  assert.equal(credential.relyingPartyId, "localhost");
  assert.deepEqual([credential.name, credential.displayName, credential.userAgent], ["ada", "Ada's laptop", "Firefox"]);
  assert.deepEqual([credential.algorithm, credential.attestationType, credential.signCount], [-7, "none", 0]);
  assert.equal(createPublicKey(credential.publicKey).asymmetricKeyDetails.namedCurve, "prime256v1");
  assert.equal(credential.authenticatorSupportsUserVerification, true);
  assert.ok(Math.abs(credential.insertInstant - Date.now()) < 60_000);
  assert.equal(credential.lastUseInstant, undefined);
  assert.deepEqual(await succeeds(client.retrieveWebAuthnCredential(credential.id)), { credential });
  assert.deepEqual(await succeeds(client.retrieveWebAuthnCredentialsForUser(user.id)), { credentials: [credential] });

  const login = { credential: await asserted(authenticator, { loginId: user.email }) };
  const loggedIn = await succeeds(browser.completeWebAuthnLogin(login));
  assert.equal(loggedIn.user.id, user.id);
  const { jwt } = await succeeds(client.validateJWT(loggedIn.token));
  assert.deepEqual([jwt.sub, jwt.aud], [user.id, APPLICATION]);
  await refused(browser.completeWebAuthnLogin(login), 404);

  const assertion = { credential: await asserted(authenticator, { userId: user.id }) };
  const shown = await succeeds(browser.completeWebAuthnAssertion(assertion));
  assert.deepEqual([shown.credential.id, shown.credential.signCount], [credential.id, 2]);
  assert.ok(shown.credential.lastUseInstant >= credential.insertInstant);
  await refused(browser.completeWebAuthnAssertion(assertion), 404);

  await succeeds(client.deleteWebAuthnCredential(credential.id));
  await refused(client.retrieveWebAuthnCredential(credential.id), 404);
  assert.deepEqual(await succeeds(client.retrieveWebAuthnCredentialsForUser(user.id)), { credentials: [] });
  await refused(client.startWebAuthnLogin({ applicationId: APPLICATION, workflow: "bootstrap", userId: user.id }), 400);
});

test("keys of each algorithm log in, and all of a user's are deleted at once", async () => {
  const user = await newUser(client);
  for (const algorithm of ["ES256", "RS256", "EdDSA"]) {
    const authenticator = newAuthenticator({ algorithm });
    const { id } = await registered(user, authenticator);
    const credential = await asserted(authenticator, { userId: user.id, credentialId: id });
    assert.equal((await succeeds(browser.completeWebAuthnLogin({ credential }))).user.id, user.id);
  }
  assert.equal((await succeeds(client.retrieveWebAuthnCredentialsForUser(user.id))).credentials.length, 3);
  await succeeds(client.deleteWebAuthnCredentialsForUser(user.id));
  assert.deepEqual(await succeeds(client.retrieveWebAuthnCredentialsForUser(user.id)), { credentials: [] });
  await succeeds(client.login(user.login));
});

test("a passkey whose authenticator has verified the user is two factors, and another one is one", async () => {
  const user = await enrolled(client);
  const verifying = newAuthenticator();
  await registered(user, verifying);
  const both = { credential: await asserted(verifying, { userId: user.id }) };
  assert.ok((await succeeds(browser.completeWebAuthnLogin(both))).token);

  const other = await enrolled(client);
  const present = newAuthenticator({ verifiesUser: false });
  await registered(other, present);
  const state = { returnTo: "/settings", deep: [null, 1] };
  const one = { credential: await asserted(present, { userId: other.id, state }) };
  const challenge = await succeeds(browser.completeWebAuthnLogin(one), 242);
  assert.equal(challenge.token, undefined);
  assert.deepEqual(challenge.methods.map(({ method }) => method), ["authenticator"], "the passkey is not asked for again");
  const code = await other.authenticator.nextCode();
  const completed = { twoFactorId: challenge.twoFactorId, code, trustComputer: true };
  const done = await succeeds(browser.twoFactorLogin(completed));
  assert.deepEqual(done.state, state);
  const trusted = { credential: await asserted(present, { userId: other.id }), twoFactorTrustId: done.twoFactorTrustId };
  assert.ok((await succeeds(browser.completeWebAuthnLogin(trusted))).token);
});

test("a login has what a login by password has: state, no tokens, 202, 203", async () => {
  const user = await newUser(client);
  const authenticator = newAuthenticator();
  await registered(user, authenticator);
  const state = { page: 7 };
  const noTokens = { credential: await asserted(authenticator, { userId: user.id, state }), noJWT: true };
  const response = await succeeds(browser.completeWebAuthnLogin(noTokens));
  assert.deepEqual([response.token, response.state], [undefined, state]);
  await succeeds(client.deleteRegistration(user.id, APPLICATION));
  const elsewhere = { credential: await asserted(authenticator, { userId: user.id }) };
  await succeeds(browser.completeWebAuthnLogin(elsewhere), 202);
  await succeeds(client.patchUser(user.id, { user: { passwordChangeRequired: true } }));
  const first = { credential: await asserted(authenticator, { userId: user.id }) };
  assert.ok((await succeeds(browser.completeWebAuthnLogin(first), 203)).changePasswordId);
});

test("a passkey completes the challenge of a password, and steps up", async () => {
  const user = await enrolled(client);
  const authenticator = newAuthenticator({ verifiesUser: false });
  await registered(user, authenticator);
  const challenge = await challenged(client, user);
  assert.deepEqual(challenge.methods.map(({ method }) => method), ["authenticator", "passkey"]);
  const { twoFactorId } = challenge;
  const methodId = challenge.methods[1].id;
  const unsent = await refused(client.sendTwoFactorCodeForLoginUsingMethod(twoFactorId, { methodId }), 400);
  assert.ok(JSON.stringify(codes(unsent)).includes("[cannotSend]method"));
  const elsewhere = await asserted(authenticator, { twoFactorId }, { origin: "http://localhost:1" });
  await refused(browser.twoFactorLogin({ twoFactorId, credential: elsewhere }), 421);
  const credential = await asserted(authenticator, { twoFactorId });
  await refused(browser.completeWebAuthnLogin({ credential }), 404);
  const done = await succeeds(browser.twoFactorLogin({ twoFactorId, credential }));
  assert.equal(done.user.id, user.id);
  await refused(browser.twoFactorLogin({ twoFactorId, credential }), 404);

  const trustChallenge = "only I know";
  const begun = await succeeds(client.startTwoFactorLogin({ userId: user.id, trustChallenge }));
  const again = await asserted(authenticator, { twoFactorId: begun.twoFactorId });
  const { trustToken } = await succeeds(browser.twoFactorLogin({ twoFactorId: begun.twoFactorId, credential: again }));
  const change = { loginId: user.email, currentPassword: PASSWORD, password: "another horse battery" };
  await succeeds(client.changePasswordByIdentity({ ...change, trustToken, trustChallenge }));
});

test("a passkey is registered by a page of the relying party, for the user that it was begun for", async () => {
  const user = await newUser(client);
  const other = await newUser(client);
  const { credential } = await created(user, newAuthenticator());
  const mismatch = await refused(browser.completeWebAuthnRegistration({ userId: other.id, credential }), 400);
  assert.deepEqual(codes(mismatch), { userId: ["[invalid]userId"] });
  for (const { id } of [user, other]) {
    assert.deepEqual(await succeeds(client.retrieveWebAuthnCredentialsForUser(id)), { credentials: [] });
  }
  const { credential: elsewhere } = await created(user, newAuthenticator(), { origin: "http://localhost:1" });
  await refused(browser.completeWebAuthnRegistration({ userId: user.id, credential: elsewhere }), 400);
  await refused(browser.completeWebAuthnRegistration({ userId: user.id, credential: elsewhere }), 404);
  assert.deepEqual(await succeeds(client.retrieveWebAuthnCredentialsForUser(user.id)), { credentials: [] });
});

test("who may not is told so", async () => {
  const user = await newUser(client);
  const authenticator = newAuthenticator();
  const { id } = await registered(user, authenticator);
  const start = { applicationId: APPLICATION, workflow: "bootstrap", userId: user.id };
  await refused(browser.startWebAuthnLogin(start), 401);
  await refused(browser.startWebAuthnRegistration({ userId: user.id, displayName: "mine", workflow: "general" }), 401);
  await refused(browser.retrieveWebAuthnCredential(id), 401);
  await refused(browser.retrieveWebAuthnCredentialsForUser(user.id), 401);
  await refused(browser.deleteWebAuthnCredential(id), 401);
  await refused(browser.deleteWebAuthnCredentialsForUser(user.id), 401);
  await refused(browser.importWebAuthnCredential({ credentials: [] }), 401);
  await refused(client.startWebAuthnLogin({ ...start, userId: UNKNOWN }), 404);
  await refused(client.startWebAuthnRegistration({ userId: UNKNOWN, displayName: "mine", workflow: "general" }), 404);
  await refused(client.retrieveWebAuthnCredential(UNKNOWN), 404);
  await refused(client.retrieveWebAuthnCredentialsForUser(UNKNOWN), 404);
  await refused(client.deleteWebAuthnCredential(UNKNOWN), 404);
  const elsewhere = { credential: await asserted(authenticator, start, { origin: "http://localhost:1" }) };
  await refused(browser.completeWebAuthnLogin(elsewhere), 400);
  await refused(browser.completeWebAuthnLogin(elsewhere), 404);
  await succeeds(client.deactivateUser(user.id));
  assert.equal((await succeeds(client.retrieveWebAuthnCredentialsForUser(user.id))).credentials.length, 1);
});

test("passkeys of another server are imported, all of them or none, and log in", async () => {
  const user = await newUser(client);
  const authenticator = newAuthenticator();
  const { credential: made } = await created(user, authenticator);
  const key = createPublicKey({ key: Buffer.from(made.response.publicKey, "base64url"), format: "der", type: "spki" });
  const passkey = {
    userId: user.id,
    credentialId: made.id,
    publicKey: key.export({ format: "pem", type: "spki" }),
    algorithm: -7,
    relyingPartyId: "localhost",
    name: user.email,
    displayName: "Ada's laptop",
  };
  const another = { ...passkey, credentialId: `AAAA${made.id}`, userId: UNKNOWN };
  const wrong = await refused(client.importWebAuthnCredential({ credentials: [passkey, another] }), 400);
  assert.deepEqual(codes(wrong), { "credentials[1].userId": ["[invalid]credentials[1].userId"] });
  assert.deepEqual(await succeeds(client.retrieveWebAuthnCredentialsForUser(user.id)), { credentials: [] });

  await succeeds(client.importWebAuthnCredential({ credentials: [passkey] }));
  const again = await refused(client.importWebAuthnCredential({ credentials: [passkey] }), 400);
  assert.deepEqual(codes(again), { "credentials[0].credentialId": ["[duplicate]credentials[0].credentialId"] });
  const credential = await asserted(authenticator, { userId: user.id });
  assert.equal((await succeeds(browser.completeWebAuthnLogin({ credential }))).user.id, user.id);
});
