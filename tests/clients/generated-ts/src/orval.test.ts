// Accounts of both dialects, with the functions that orval makes of the contracts.

import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Authenticator } from "../../support/authenticator.mjs";
import { startServer, type Server } from "../../support/server.mjs";
import * as betterAuth from "./generated/orval-better-auth.js";
import * as fusionAuth from "./generated/orval-fusionauth.js";

const PASSWORD = "correct horse battery staple";
const EMAIL = "ada@example.com";

/** Has the functions, which name paths only, call this server, as they call their own in a page. */
function callServer(t: TestContext, base: string) {
  const { fetch } = globalThis;
  globalThis.fetch = (path, options) => fetch(`${base}${path}`, options);
  t.after(() => (globalThis.fetch = fetch));
}

/** Options with a token or key, and the page's origin. */
function as(server: Server, authorization?: string): RequestInit {
  return { headers: { origin: server.baseURL, ...(authorization === undefined ? {} : { authorization }) } };
}

test("orval, Better Auth: a second factor is set up and signs in", async (t) => {
  const server = await startServer(t);
  callServer(t, `${server.baseURL}/api/auth`);
  const credentials = { email: EMAIL, password: PASSWORD };
  const signedUp = await betterAuth.signUpWithEmailAndPassword({ name: "Ada", ...credentials }, as(server));
  assert.ok(signedUp.status === 200);
  const first = as(server, `Bearer ${signedUp.data.token}`);
  const enabled = await betterAuth.twoFactorEnablePost({ password: PASSWORD }, first);
  assert.ok(enabled.status === 200);
  const code = await new Authenticator(enabled.data.totpURI ?? assert.fail("no URI")).nextCode();
  const confirmed = await betterAuth.twoFactorVerifyTotpPost({ code }, first);
  assert.ok(confirmed.status === 200 && confirmed.data.user?.twoFactorEnabled);

  const challenge = await betterAuth.signInEmail(credentials, as(server));
  assert.ok(challenge.status === 200 && challenge.data.twoFactorRedirect);
  const second = as(server, `Bearer ${challenge.data.twoFactorToken}`);
  assert.equal((await betterAuth.twoFactorSendOtpPost({}, second)).status, 200);
  const signedIn = await betterAuth.twoFactorVerifyOtpPost({ code: await server.mailedCode(EMAIL) }, second);
  assert.ok(signedIn.status === 200);
  const session = await betterAuth.getSession(undefined, as(server, `Bearer ${signedIn.data.token}`));
  assert.ok(session.status === 200 && session.data?.user.id === signedUp.data.user.id);

  const refused = await betterAuth.signInEmail({ ...credentials, password: "wrong password" }, as(server));
  assert.ok(refused.status === 401 && refused.data.code === "INVALID_EMAIL_OR_PASSWORD");
});

test("orval, FusionAuth: a service makes a user, who logs in with a second factor", async (t) => {
  const server = await startServer(t);
  callServer(t, server.baseURL);
  const service = as(server, server.apiKey());
  const created = await fusionAuth.createUser({ user: { email: EMAIL, password: PASSWORD } }, service);
  assert.ok(created.status === 200);
  const { id } = created.data.user;
  const secret = await fusionAuth.generateTwoFactorSecretUsingJWT(service);
  assert.ok(secret.status === 200);
  const app = Authenticator.of(secret.data.secretBase32Encoded);
  const method = { method: "authenticator", secret: secret.data.secret, code: await app.nextCode() };
  const enabled = await fusionAuth.enableTwoFactor(id, method, service);
  assert.ok(enabled.status === 200 && enabled.data.recoveryCodes?.length === 10);

  const challenge = await fusionAuth.login({ loginId: EMAIL, password: PASSWORD }, service);
  assert.ok(challenge.status === 242);
  const { twoFactorId } = challenge.data;
  const person = as(server);
  assert.equal((await fusionAuth.twoFactorLogin({ twoFactorId, code: app.wrongCode() }, person)).status, 421);
  const done = await fusionAuth.twoFactorLogin({ twoFactorId, code: await app.nextCode() }, person);
  assert.ok(done.status === 200 && done.data.user?.id === id);
});
