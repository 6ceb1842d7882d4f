// The way of a person through two-factor authentication, with the real FusionAuth client.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  APPLICATION,
  PASSWORD,
  challenged,
  clientWith,
  enrolled,
  newUser,
  refused,
  startService,
  succeeds,
} from "./support.mjs";
import { newKeyring } from "../support/server.mjs";

test("a user without a second factor logs in at once", async (t) => {
  const { client } = await startService(t);
  const user = await newUser(client);
  const response = await succeeds(client.login(user.login));
  assert.equal(response.user.email, user.email);
  assert.equal(response.token.split(".").length, 3);
  assert.match(response.refreshToken, /^[\w-]{43}$/);
  assert.ok(Math.abs(response.tokenExpirationInstant - Date.now() - 3_600_000) < 60_000);
  const { jwt } = await succeeds(client.validateJWT(response.token));
  assert.equal(jwt.sub, user.id);
  assert.equal(jwt.aud, APPLICATION);
  assert.equal(jwt.exp - jwt.iat, 3600);
  await succeeds(client.retrieveTwoFactorStatus(user.id));

  const stranger = await succeeds(
    client.createUser(null, { user: { username: "nobody.here", password: PASSWORD } }),
  );
  const elsewhere = await succeeds(
    client.login({ loginId: "Nobody.Here", password: PASSWORD, applicationId: APPLICATION }),
    202,
  );
  assert.equal(elsewhere.user.id, stranger.user.id);
  const noTokens = await succeeds(client.login({ ...user.login, noJWT: true }));
  assert.equal(noTokens.token, undefined);
});

test("an authenticator app completes a challenge, once for each code", async (t) => {
  const { client } = await startService(t);
  const user = await enrolled(client);
  assert.equal(user.recoveryCodes.length, 10);
  for (const code of user.recoveryCodes) assert.match(code, /^[A-Z0-9]{5}-[A-Z0-9]{5}$/);

  await succeeds(client.retrieveTwoFactorStatus(user.id), 242);
  const first = await challenged(client, user);
  assert.equal(first.methods.length, 1);
  const [method] = first.methods;
  assert.deepEqual(method.authenticator, { algorithm: "HmacSHA1", codeLength: 6, timeStep: 30 });
  assert.equal(method.method, "authenticator");
  assert.equal(method.name, "telephone");

  const wrong = { twoFactorId: first.twoFactorId, code: user.authenticator.wrongCode() };
  await refused(client.twoFactorLogin(wrong), 421);
  const code = await user.authenticator.nextCode();
  const done = await succeeds(client.twoFactorLogin({ twoFactorId: first.twoFactorId, code }));
  assert.equal(done.user.id, user.id);
  assert.match(done.trustToken, /^[\w-]{43}$/);
  assert.equal(done.user.twoFactor.methods[0].lastUsed, true);
  assert.equal(done.user.twoFactor.methods[0].secret, undefined);

  await refused(client.twoFactorLogin({ twoFactorId: first.twoFactorId, code }), 404);
  const second = await challenged(client, user);
  await refused(client.twoFactorLogin({ twoFactorId: second.twoFactorId, code }), 421);
});

test("codes by mail and by text message complete it, and each send ends the code before", async (t) => {
  const { server, client } = await startService(t);
  const user = await newUser(client);
  const address = `second.${user.email}`;
  await succeeds(client.sendTwoFactorCodeForEnableDisable({ userId: user.id, method: "email", email: address }));
  const mailed = await server.mailedCode(address);
  const other = { method: "email", email: `third.${user.email}`, code: mailed };
  const mismatch = await refused(client.enableTwoFactor(user.id, other), 400);
  assert.ok(mismatch.fieldErrors.email.some((error) => error.code === "[mismatch]email"));
  const { recoveryCodes } = await succeeds(
    client.enableTwoFactor(user.id, { method: "email", email: address, code: mailed }),
  );
  assert.equal(recoveryCodes.length, 10);

  const mobilePhone = "+1 555 010 0199";
  await succeeds(client.sendTwoFactorCode({ userId: user.id, method: "sms", mobilePhone }));
  const [message] = await server.messagesTo("+15550100199");
  assert.equal(message.channel, "sms");
  const further = { method: "sms", mobilePhone, code: message.code };
  const more = await succeeds(client.enableTwoFactor(user.id, further));
  assert.equal(more.recoveryCodes, undefined);

  const challenge = await challenged(client, user);
  const [email, sms] = ["email", "sms"].map((kind) => challenge.methods.find(({ method }) => method === kind));
  assert.equal(email.email, address);
  assert.equal(sms.mobilePhone, "+15550100199");
  const send = (methodId) => client.sendTwoFactorCodeForLoginUsingMethod(challenge.twoFactorId, { methodId });
  await succeeds(send(email.id));
  const first = await server.mailedCode(address);
  await succeeds(send(sms.id));
  await refused(client.twoFactorLogin({ twoFactorId: challenge.twoFactorId, code: first }), 421);
  const second = await server.mailedCode("+15550100199");
  await succeeds(client.twoFactorLogin({ twoFactorId: challenge.twoFactorId, code: second }));

  const legacy = await challenged(client, user);
  const blank = await refused(client.sendTwoFactorCodeForLogin(legacy.twoFactorId), 400);
  assert.equal(blank.fieldErrors.methodId[0].code, "[blank]methodId");
  await refused(client.sendTwoFactorCodeForLoginUsingMethod("x".repeat(43), { methodId: email.id }), 404);
});

test("a recovery code counts once, and disables everything", async (t) => {
  const { client } = await startService(t);
  const user = await enrolled(client);
  const [first, second] = user.recoveryCodes;
  const one = await challenged(client, user);
  await succeeds(client.twoFactorLogin({ twoFactorId: one.twoFactorId, code: first }));
  const again = await challenged(client, user);
  await refused(client.twoFactorLogin({ twoFactorId: again.twoFactorId, code: first }), 421);
  const kind = second.replace("-", "").toLowerCase();
  await succeeds(client.twoFactorLogin({ twoFactorId: again.twoFactorId, code: kind }));

  assert.deepEqual(await succeeds(client.retrieveTwoFactorRecoveryCodes(user.id)), { recoveryCodes: [] });
  const { recoveryCodes } = await succeeds(client.generateTwoFactorRecoveryCodes(user.id));
  assert.equal(recoveryCodes.length, 10);
  await refused(client.disableTwoFactorWithRequest(user.id, { code: user.recoveryCodes[2] }), 421);
  await succeeds(client.disableTwoFactorWithRequest(user.id, { code: recoveryCodes[0] }));
  await succeeds(client.login(user.login));
});

test("a trusted computer is not asked, until the second factor is gone", async (t) => {
  const { client } = await startService(t);
  const user = await enrolled(client);
  const { twoFactorId } = await challenged(client, user);
  const code = await user.authenticator.nextCode();
  const done = await succeeds(client.twoFactorLogin({ twoFactorId, code, trustComputer: true }));
  const trust = done.twoFactorTrustId;
  await succeeds(client.login({ ...user.login, twoFactorTrustId: trust }));
  await succeeds(client.login({ ...user.login, twoFactorTrustId: trust }));
  const status = await succeeds(client.retrieveTwoFactorStatus(user.id, APPLICATION, trust));
  assert.equal(status.twoFactorTrustId, trust);
  assert.equal(status.trusts.length, 1);
  assert.equal(status.trusts[0].expired, false);
  await succeeds(client.retrieveTwoFactorStatusWithRequest({ userId: user.id, twoFactorTrustId: trust }));
  await succeeds(client.retrieveTwoFactorStatus(user.id, APPLICATION, "x".repeat(43)), 242);

  const [method] = (await succeeds(client.retrieveUser(user.id))).user.twoFactor.methods;
  const next = await user.authenticator.nextCode();
  await succeeds(client.disableTwoFactor(user.id, method.id, next));
  await succeeds(client.login(user.login));
  const secret = await succeeds(client.generateTwoFactorSecret());
  assert.ok(secret.secretBase32Encoded);
  const renewed = await enrolled(client);
  await succeeds(client.login({ ...renewed.login, twoFactorTrustId: trust }), 242);
});

test("stepping up takes a code, and changing the password takes stepping up", async (t) => {
  const { client } = await startService(t);
  const user = await enrolled(client);
  const change = { loginId: user.email, currentPassword: PASSWORD, password: "another horse battery" };
  const required = await refused(client.checkChangePasswordUsingLoginId(user.email), 400);
  assert.equal(required.generalErrors[0].code, "[TrustTokenRequired]");
  await refused(client.changePasswordByIdentity(change), 400);

  const trustChallenge = "only I know";
  const state = { returnTo: "/settings", deep: [null, 1] };
  const begun = await succeeds(client.startTwoFactorLogin({ userId: user.id, trustChallenge, state }));
  assert.match(begun.code, /^\d{6}$/);
  const done = await succeeds(client.twoFactorLogin({ twoFactorId: begun.twoFactorId, code: begun.code }));
  assert.deepEqual(done.state, state);
  const { trustToken } = done;
  await refused(client.changePasswordByIdentity({ ...change, trustToken, trustChallenge: "guessed" }), 400);
  await succeeds(client.changePasswordByIdentity({ ...change, trustToken, trustChallenge }));
  await refused(client.login(user.login), 404);
  await succeeds(client.login({ ...user.login, password: change.password }), 242);
  const back = { loginId: user.email, currentPassword: change.password, password: PASSWORD };
  await refused(client.changePasswordByIdentity({ ...back, trustToken, trustChallenge }), 400);
});

test("a person manages their methods with their own token", async (t) => {
  const { server, client } = await startService(t);
  const user = await newUser(client);
  const { token } = await succeeds(client.login(user.login));
  await succeeds(client.generateTwoFactorSecretUsingJWT(token));
  await refused(client.generateTwoFactorSecretUsingJWT(`${token}x`), 401);
  const own = (method, path, body) =>
    fetch(`${server.baseURL}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const sent = await own("POST", "/api/two-factor/send", { method: "email", email: user.email });
  assert.equal(sent.status, 200);
  assert.equal(sent.headers.get("content-type"), null);
  const code = await server.mailedCode(user.email);
  // A token alone binds no first method: the password, or a token of a second factor, has to come with it.
  const bare = await own("POST", "/api/user/two-factor", { method: "email", email: user.email, code });
  assert.equal(bare.status, 400);
  assert.equal((await bare.json()).generalErrors[0].code, "[TrustTokenRequired]");
  const enabled = await own("POST", "/api/user/two-factor", {
    method: "email",
    email: user.email,
    code,
    password: PASSWORD,
  });
  assert.equal(enabled.status, 200);
  // The token is of a login that passed no second factor, and now there is one.
  const again = await own("POST", "/api/user/two-factor", { method: "email", email: user.email, code });
  assert.equal(again.status, 401);
});

test("who may not is told so", async (t) => {
  const { server, client } = await startService(t);
  const user = await newUser(client);
  for (const key of ["not a key", `k${"x".repeat(42)}`]) {
    await refused(clientWith(server, key).login(user.login), 401);
    await refused(clientWith(server, key).retrieveUser(user.id), 401);
  }
  const narrow = clientWith(server, server.apiKey("--allow", "POST /api/login"));
  await succeeds(narrow.login(user.login));
  await refused(narrow.retrieveUser(user.id), 401);
  await refused(client.login({ ...user.login, password: "wrong" }), 404);
  await refused(client.login({ ...user.login, loginId: "nobody@example.com" }), 404);
  const blank = await refused(client.login({}), 400);
  assert.deepEqual(Object.keys(blank.fieldErrors).sort(), ["loginId", "password"]);
  const missing = await refused(client.twoFactorLogin({}), 400);
  assert.equal(missing.fieldErrors.code[0].code, "[blank]code");
  const duplicate = await refused(client.createUser(null, { user: { email: user.email, password: PASSWORD } }), 400);
  assert.equal(duplicate.fieldErrors["user.email"][0].code, "[duplicate]user.email");
  await refused(client.retrieveUser("00000000-0000-4000-8000-000000000000"), 404);
  const malformed = await refused(client.retrieveUser("12345"), 400);
  assert.equal(malformed.fieldErrors.userId[0].code, "[couldNotConvert]userId");
});

test("users are changed, deactivated and removed", async (t) => {
  const { client } = await startService(t);
  const user = await newUser(client);
  const patched = await succeeds(client.patchUser(user.id, { user: { lastName: "Lovelace", data: { seen: 1 } } }));
  assert.equal(patched.user.firstName, "Ada");
  assert.equal(patched.user.lastName, "Lovelace");
  assert.deepEqual(patched.user.data, { seen: 1 });
  assert.equal((await succeeds(client.retrieveUserByLoginId(user.email))).user.id, user.id);
  await succeeds(client.deactivateUser(user.id));
  await refused(client.login(user.login), 423);
  await succeeds(client.reactivateUser(user.id));
  await succeeds(client.login(user.login));
  await succeeds(client.patchUser(user.id, { user: { expiry: Date.now() - 1000 } }));
  await refused(client.login(user.login), 410);
  await succeeds(client.deleteUser(user.id));
  await refused(client.retrieveUser(user.id), 404);
});

test("a password that has to be changed opens nothing before", async (t) => {
  const { client } = await startService(t);
  const user = await newUser(client, { passwordChangeRequired: true });
  const response = await succeeds(client.login(user.login), 203);
  assert.equal(response.changePasswordReason, "Administrative");
  assert.equal(response.token, undefined);
  await succeeds(client.checkChangePasswordUsingId(response.changePasswordId));
  const password = "another horse battery";
  const changed = await succeeds(client.changePassword(response.changePasswordId, { password }));
  await refused(client.changePassword(response.changePasswordId, { password }), 404);
  const { oneTimePassword } = changed;
  await succeeds(client.login({ oneTimePassword, applicationId: APPLICATION }));
  await refused(client.login({ oneTimePassword, applicationId: APPLICATION }), 404);
  await succeeds(client.login({ ...user.login, password }));
});

test("a refresh token stays the same, for requests at once too", async (t) => {
  const { client } = await startService(t);
  const user = await newUser(client);
  const { refreshToken, refreshTokenId } = await succeeds(client.login(user.login));
  const exchange = () => succeeds(client.exchangeRefreshTokenForJWT({ refreshToken }));
  for (const next of await Promise.all([exchange(), exchange(), exchange()])) {
    assert.equal(next.refreshToken, refreshToken);
    assert.equal(next.refreshTokenId, refreshTokenId);
    await succeeds(client.validateJWT(next.token));
  }
});

test("a one-time refresh token gives requests at once the same next one", async (t) => {
  const { client } = await startService(t, { COUNTERSIGN_REFRESH_TOKEN_USAGE: "OneTimeUse" });
  const user = await newUser(client);
  const { refreshToken, refreshTokenId } = await succeeds(client.login(user.login));
  const exchange = (refreshToken) => succeeds(client.exchangeRefreshTokenForJWT({ refreshToken }));
  const answers = await Promise.all([1, 2, 3].map(() => exchange(refreshToken)));
  const [next] = answers;
  assert.notEqual(next.refreshToken, refreshToken);
  for (const answer of answers) {
    assert.equal(answer.refreshToken, next.refreshToken);
    assert.equal(answer.refreshTokenId, refreshTokenId);
  }
  const further = await exchange(next.refreshToken);
  assert.notEqual(further.refreshToken, next.refreshToken);
  await succeeds(client.validateJWT(further.token));
});

test("refresh tokens are listed and revoked, and logging out ends one or all", async (t) => {
  const { client } = await startService(t);
  const user = await newUser(client);
  const login = () => succeeds(client.login(user.login));
  const ended = ({ refreshToken }) => refused(client.exchangeRefreshTokenForJWT({ refreshToken }), 404);
  const first = await login();
  const { refreshTokens } = await succeeds(client.retrieveRefreshTokens(user.id));
  assert.deepEqual(refreshTokens.map(({ id }) => id), [first.refreshTokenId]);
  const { refreshToken } = await succeeds(client.retrieveRefreshTokenById(first.refreshTokenId));
  assert.equal(refreshToken.userId, user.id);
  await succeeds(client.revokeRefreshTokenById(first.refreshTokenId));
  await ended(first);
  for (const revoke of [
    ({ refreshToken }) => client.revokeRefreshTokenByToken(refreshToken),
    ({ refreshToken: token }) => client.revokeRefreshTokensWithRequest({ token }),
    () => client.revokeRefreshTokensByUserId(user.id),
    () => client.revokeRefreshTokensByUserIdForApplication(user.id, APPLICATION),
    () => client.revokeRefreshTokensByApplicationId(APPLICATION),
    ({ refreshToken }) => client.logout(false, refreshToken),
    ({ refreshToken }) => client.logoutWithRequest({ global: true, refreshToken }),
  ]) {
    const answer = await login();
    await succeeds(revoke(answer));
    await ended(answer);
  }
});

test("others verify tokens of every algorithm with the published keys, also of the one before", async (t) => {
  const home = await mkdtemp(join(tmpdir(), "countersign-"));
  t.after(() => rm(home, { recursive: true }));
  const common = {
    COUNTERSIGN_DATABASE_URL: `sqlite:${join(home, "countersign.db")}`,
    COUNTERSIGN_KEYS: newKeyring(),
    COUNTERSIGN_JWT_ISSUER: "https://id.example",
  };
  let before, retiring;
  for (const algorithm of ["EdDSA", "ES256", "RS256"]) {
    const rotation = retiring ? { COUNTERSIGN_JWT_RETIRING_ALGORITHMS: retiring } : {};
    const { client } = await startService(t, { ...common, COUNTERSIGN_JWT_ALGORITHM: algorithm, ...rotation });
    const user = await newUser(client);
    const { token } = await succeeds(client.login(user.login));
    const published = (await succeeds(client.retrieveJsonWebKeySet())).keys;
    assert.equal(published[0].alg, algorithm);
    for (const one of [token, before].filter(Boolean)) assert.ok(isSignedBy(published, one), one);
    const [header, payload, signature] = token.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url"));
    assert.equal(claims.iss, "https://id.example");
    assert.equal(claims.sub, user.id);
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: "nobody" })).toString("base64url");
    assert.ok(!isSignedBy(published, `${header}.${forged}.${signature}`));
    if (before) await succeeds(client.validateJWT(before));
    [before, retiring] = [token, algorithm];
  }
});

/** What OpenSSL says of a token (RFC 7515), with the key that its header names. */
function isSignedBy(published, token) {
  const [header, payload, signature] = token.split(".");
  const { alg, kid } = JSON.parse(Buffer.from(header, "base64url"));
  const key = createPublicKey({ key: published.find((one) => one.kid === kid && one.alg === alg), format: "jwk" });
  const hash = alg === "EdDSA" ? null : "sha256";
  const message = Buffer.from(`${header}.${payload}`);
  return verify(hash, message, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
}
