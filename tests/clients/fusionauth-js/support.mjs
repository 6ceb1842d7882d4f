// People and services, at the point where a test begins.

import assert from "node:assert/strict";
import fusionauth from "@fusionauth/typescript-client";
import emulator from "nid-webauthn-emulator";
import { Authenticator } from "../support/authenticator.mjs";
import { startServer } from "../support/server.mjs";
import { makeAuthenticator } from "../support/webauthn.mjs";

const { FusionAuthClient } = fusionauth;

export const PASSWORD = "correct horse battery staple";
export const APPLICATION = "c0de0000-0000-4000-8000-000000000002";

let count = 0;

/** A server and the real client of a service that may do everything. */
export async function startService(t, settings, host) {
  const server = await startServer(t, settings, host);
  return { server, client: new FusionAuthClient(server.apiKey(), server.baseURL) };
}

/** A client that shows `key`, or nothing. */
export function clientWith(server, key) {
  return new FusionAuthClient(key, server.baseURL);
}

/** Checks that a call succeeds with this status; returns what was answered. */
export async function succeeds(call, status = 200) {
  const response = await call.catch((error) => assert.fail(`refused: ${JSON.stringify(error)}`));
  assert.equal(response.statusCode, status, JSON.stringify(response));
  return response.response;
}

/** Checks that a call is refused with this status; returns the body, of which there is none but for 400 and 409. */
export async function refused(call, status) {
  const error = await call.then(
    (response) => assert.fail(`not refused: ${JSON.stringify(response)}`),
    (error) => error,
  );
  assert.equal(error.statusCode, status, JSON.stringify(error));
  if (status !== 400 && status !== 409) assert.equal(error.exception, undefined);
  return error.exception;
}

/** An authenticator (WebAuthn) without passkeys. */
export function newAuthenticator(options) {
  return makeAuthenticator(emulator, options);
}

/** A user who was just made and registered. */
export async function newUser(client, fields = {}) {
  count += 1;
  const email = `ada.${process.pid}.${count}@example.com`;
  const { user } = await succeeds(
    client.createUser(null, { user: { email, password: PASSWORD, firstName: "Ada", ...fields } }),
  );
  await succeeds(client.register(user.id, { registration: { applicationId: APPLICATION } }));
  return { id: user.id, email, login: { loginId: email, password: PASSWORD, applicationId: APPLICATION } };
}

/** The same with an authenticator app and recovery codes. */
export async function enrolled(client) {
  const user = await newUser(client);
  const { secret, secretBase32Encoded } = await succeeds(client.generateTwoFactorSecret());
  assert.equal(Buffer.from(secret).length, 32);
  const authenticator = Authenticator.of(secretBase32Encoded);
  const code = await authenticator.nextCode();
  const request = { method: "authenticator", secret, code, name: "telephone" };
  const { recoveryCodes } = await succeeds(client.enableTwoFactor(user.id, request));
  return { ...user, authenticator, recoveryCodes };
}

/** The challenge that logging in leads to. */
export async function challenged(client, user) {
  const challenge = await succeeds(client.login(user.login), 242);
  assert.equal(challenge.token, undefined);
  assert.equal(challenge.user, undefined);
  return challenge;
}
