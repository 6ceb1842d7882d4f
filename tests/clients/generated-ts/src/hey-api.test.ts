// Accounts of both dialects, with the clients that Hey API's openapi-ts makes of the contracts.

import assert from "node:assert/strict";
import test from "node:test";
import { Authenticator } from "../../support/authenticator.mjs";
import { startServer, type Server } from "../../support/server.mjs";
import * as betterAuth from "./generated/hey-api-better-auth/index.js";
import { createClient } from "./generated/hey-api-better-auth/client/index.js";
import * as fusionAuth from "./generated/hey-api-fusionauth/index.js";

const PASSWORD = "correct horse battery staple";
const EMAIL = "ada@example.com";

/** Where requests go, and a token or key. */
function clientOf(server: Server, path: string, authorization?: string) {
  // As a page of the server's own origin sends it.
  const headers = { origin: server.baseURL, ...(authorization === undefined ? {} : { authorization }) };
  return createClient({ baseUrl: `${server.baseURL}${path}`, headers });
}

/** Checks that a call ended with this status; returns its data. */
function ended<Data>(call: { data?: Data; error?: unknown; response?: Response }, status = 200): Data {
  assert.equal(call.response?.status, status, JSON.stringify(call.error));
  return call.data as Data;
}

test("Hey API, Better Auth: a second factor is set up and signs in", async (t) => {
  const server = await startServer(t);
  const stranger = clientOf(server, "/api/auth");
  const body = { email: EMAIL, password: PASSWORD };
  const signedUp = ended(await betterAuth.signUpWithEmailAndPassword({ client: stranger, body: { name: "Ada", ...body } }));
  const first = clientOf(server, "/api/auth", `Bearer ${signedUp.token}`);
  const enabled = ended(await betterAuth.twoFactorEnablePost({ client: first, body: { password: PASSWORD } }));
  const code = await new Authenticator(enabled.totpURI ?? assert.fail("no URI")).nextCode();
  assert.equal(ended(await betterAuth.twoFactorVerifyTotpPost({ client: first, body: { code } })).user?.twoFactorEnabled, true);

  const challenge = ended(await betterAuth.signInEmail({ client: stranger, body }));
  assert.equal(challenge.twoFactorRedirect, true);
  const second = clientOf(server, "/api/auth", `Bearer ${challenge.twoFactorToken}`);
  ended(await betterAuth.twoFactorSendOtpPost({ client: second }));
  const mailed = { code: await server.mailedCode(EMAIL) };
  const signedIn = ended(await betterAuth.twoFactorVerifyOtpPost({ client: second, body: mailed }));
  const session = clientOf(server, "/api/auth", `Bearer ${signedIn.token}`);
  assert.equal(ended(await betterAuth.getSession({ client: session }))?.user.id, signedUp.user.id);

  const refused = await betterAuth.signInEmail({ client: stranger, body: { ...body, password: "wrong password" } });
  ended(refused, 401);
  assert.equal(refused.error?.code, "INVALID_EMAIL_OR_PASSWORD");
});

test("Hey API, FusionAuth: a service makes a user, who logs in with a second factor", async (t) => {
  const server = await startServer(t);
  const service = clientOf(server, "", server.apiKey());
  const { user } = ended(await fusionAuth.createUser({ client: service, body: { user: { email: EMAIL, password: PASSWORD } } }));
  const { secret, secretBase32Encoded } = ended(await fusionAuth.generateTwoFactorSecretUsingJwt({ client: service }));
  const app = Authenticator.of(secretBase32Encoded);
  const path = { userId: user.id };
  const body = { method: "authenticator", secret, code: await app.nextCode() };
  assert.equal(ended(await fusionAuth.enableTwoFactor({ client: service, path, body })).recoveryCodes?.length, 10);

  const challenge = ended(await fusionAuth.login({ client: service, body: { loginId: EMAIL, password: PASSWORD } }), 242);
  const { twoFactorId } = challenge;
  const person = clientOf(server, "");
  ended(await fusionAuth.twoFactorLogin({ client: person, body: { twoFactorId, code: app.wrongCode() } }), 421);
  const done = ended(await fusionAuth.twoFactorLogin({ client: person, body: { twoFactorId, code: await app.nextCode() } }));
  assert.equal(done.user?.id, user.id);
});
