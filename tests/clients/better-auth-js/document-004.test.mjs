// The TypeScript sample of the published "Athena Auth" page: its calls, in an order in which they can all succeed.

import assert from "node:assert/strict";
import test from "node:test";
import { challenged, data, enrolled, PASSWORD, signedUp } from "./support/people.mjs";
import { Authenticator } from "../support/authenticator.mjs";
import { startServer } from "../support/server.mjs";

test("the calls of the sample succeed", async (t) => {
  const server = await startServer(t);
  const { email, user } = await signedUp(server);
  const client = { auth: user.client };

  const { totpURI } = data(await client.auth.twoFactor.enable({ password: PASSWORD }));
  const authenticator = new Authenticator(totpURI);
  assert.equal(data(await client.auth.twoFactor.getTotpUri({ password: PASSWORD })).totpURI, totpURI);
  assert.equal(data(await client.auth.twoFactor.verifyTotp({ code: await authenticator.nextCode() })).status, true);

  assert.equal(data(await client.auth.twoFactor.sendOtp()).status, true);
  assert.equal(data(await client.auth.twoFactor.verifyOtp({ code: await server.mailedCode(email) })).user.email, email);

  const { backupCodes } = data(await client.auth.twoFactor.generateBackupCodes({ password: PASSWORD }));
  const verified = data(await client.auth.twoFactor.verifyBackupCode({ code: backupCodes[0] }));
  assert.equal(verified.session.userId, verified.user.id);

  assert.equal(data(await client.auth.twoFactor.disable({ password: PASSWORD })).status, true);
});

test("trustDevice may be a text, as the page has it", async (t) => {
  const server = await startServer(t);
  const { email, authenticator } = await enrolled(server);
  const { user, client } = await challenged(server, email);
  data(await client.twoFactor.verifyTotp({ code: await authenticator.nextCode(), trustDevice: "true" }));
  assert.notEqual(user.cookies.get("trust_device"), undefined);
});
