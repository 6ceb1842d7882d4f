// The samples of the published page of FusionAuth's `TwoFactorController`, with values and as the page prints them.

import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Authenticator } from "../../support/authenticator.mjs";
import { startServer } from "../../support/server.mjs";
import * as samples from "./document-001.samples.js";
import { Configuration, LoginApi, MethodsApi, UsersApi, type Errors } from "./generated/fusionauth/index.js";
import { TwoFactorController } from "./two-factor-controller.js";

const PASSWORD = "correct horse battery staple";
const EMAIL = "ada@example.com";
const APPLICATION = "c0de0000-0000-4000-8000-000000000002";

/** A server, and a client that shows it an API key; more of them with other credentials. */
async function start(t: TestContext) {
  const server = await startServer(t);
  const clientWith = (credentials: { apiKey?: string; accessToken?: string }) =>
    new Configuration({ basePath: server.baseURL, ...credentials });
  return { server, clientWith, client: clientWith({ apiKey: server.apiKey() }) };
}

function controllerOf(client: Configuration): TwoFactorController {
  const twoFactorController = new TwoFactorController(client);
  return twoFactorController satisfies samples.Page;
}

/** What a sample got, which must be a result with this status. */
function result<T>(got: samples.Got<T>, status = 200): T {
  assert.ok("result" in got, JSON.stringify(got));
  assert.equal(got.statusCode, status);
  return got.result;
}

/** The codes of what a sample was told to be wrong, by field; `undefined` if it was told nothing. */
function errors<T>(got: samples.Got<T>, status: number): Record<string, Array<string | undefined>> | undefined {
  assert.ok("errors" in got, JSON.stringify(got));
  assert.equal(got.statusCode, status);
  if (got.errors === undefined) return undefined;
  const { fieldErrors = {}, generalErrors } = got.errors as Errors;
  assert.equal(generalErrors, undefined);
  return Object.fromEntries(Object.entries(fieldErrors).map(([field, all]) => [field, all.map(({ code }) => code)]));
}

test("TwoFactorController: with values, all six samples run", async (t) => {
  const { server, client, clientWith } = await start(t);
  const twoFactorController = controllerOf(client);
  const [users, login, methods] = [new UsersApi(client), new LoginApi(client), new MethodsApi(client)];
  const { user } = await users.createUser({ userRequest: { user: { email: EMAIL, password: PASSWORD } } });
  const userId = user.id;
  const loginRequest = { loginId: EMAIL, password: PASSWORD, applicationId: APPLICATION };
  const { token: accessToken } = await login.login({ loginRequest });

  // The user has their own token make a secret for an app, and a code sent that proves an address.
  const personal = controllerOf(clientWith({ accessToken }));
  const { secret, secretBase32Encoded } = result(await samples.generateTwoFactorSecretUsingJWT(personal));
  const app = Authenticator.of(secretBase32Encoded);
  const authenticator = { method: "authenticator", secret, code: await app.nextCode() };
  await methods.enableTwoFactor({ userId, twoFactorRequest: authenticator });
  const email = { method: "email", email: EMAIL };
  assert.equal(
    result(await samples.sendTwoFactorCodeForEnableDisable(twoFactorController, { userId, ...email })),
    undefined,
  );
  const byMail = { ...email, code: await server.mailedCode(EMAIL) };
  await methods.enableTwoFactor({ userId, twoFactorRequest: byMail });

  // Logging in is answered with a challenge; a code is sent by a method of it, and completes it.
  const asked = await login.loginRaw({ loginRequest });
  assert.equal(asked.raw.status, 242);
  const { twoFactorId, methods: offered = [] } = await asked.value();
  assert.ok(twoFactorId !== undefined);
  const methodId = offered.find(({ email }) => email === EMAIL)?.id;
  const send = () => samples.sendTwoFactorCodeForLoginUsingMethod(twoFactorController, twoFactorId, { methodId });
  assert.equal(result(await send()), undefined);
  const first = await server.mailedCode(EMAIL);
  assert.equal(result(await send()), undefined);
  const complete = { twoFactorId, code: await server.mailedCode(EMAIL), trustComputer: true };
  // The code before the last one is dead: 421, without a body.
  if (first !== complete.code) {
    const dead = { twoFactorId, code: first };
    assert.equal(errors(await samples.twoFactorLogin(twoFactorController, dead), 421), undefined);
  }
  const done = result(await samples.twoFactorLogin(twoFactorController, complete), 202);
  assert.equal(done.user?.id, userId);
  assert.ok(done.twoFactorTrustId !== undefined);

  // That device is trusted, and no other one is.
  const trusted = result(await samples.retrieveTwoFactorStatus(twoFactorController, done.twoFactorTrustId, userId));
  assert.equal(trusted.twoFactorTrustId, done.twoFactorTrustId);
  assert.equal(trusted.trusts?.length, 1);
  const other = await samples.retrieveTwoFactorStatus(twoFactorController, "twoFactorTrustId0", userId, APPLICATION);
  assert.equal(result(other, 242).trusts, undefined);

  // Outside of logging in, the service gets the code itself.
  const started = result(await samples.startTwoFactorLogin(twoFactorController, { userId, state: { step: "up" } }));
  assert.equal(started.methods?.length, 2);
  const { code } = started;
  const stepUp = { twoFactorId: started.twoFactorId, code };
  const steppedUp = result(await samples.twoFactorLogin(twoFactorController, stepUp));
  assert.deepEqual(steppedUp.state, { step: "up" });
  assert.ok(steppedUp.trustToken !== undefined);
});

test("TwoFactorController: as the page prints them, the samples end where a value is missing", async (t) => {
  const { client, clientWith } = await start(t);
  const twoFactorController = controllerOf(client);
  const missing = { userId: ["[missing]userId"] };
  assert.deepEqual(errors(await samples.retrieveTwoFactorStatus(twoFactorController), 400), missing);
  assert.deepEqual(errors(await samples.startTwoFactorLogin(twoFactorController), 400), missing);
  assert.deepEqual(errors(await samples.sendTwoFactorCodeForEnableDisable(twoFactorController), 400), missing);
  const blank = { code: ["[blank]code"], twoFactorId: ["[blank]twoFactorId"] };
  assert.deepEqual(errors(await samples.twoFactorLogin(twoFactorController), 400), blank);
  const noMethod = { methodId: ["[blank]methodId"] };
  assert.deepEqual(errors(await samples.sendTwoFactorCodeForLoginUsingMethod(twoFactorController), 400), noMethod);
  // This one needs none.
  assert.match(result(await samples.generateTwoFactorSecretUsingJWT(twoFactorController)).secret, /^[A-Za-z0-9]{32}$/);

  // A refusal without a body is an `ApiError` without a result.
  const stranger = controllerOf(clientWith({}));
  assert.equal(errors(await samples.generateTwoFactorSecretUsingJWT(stranger), 401), undefined);
  assert.equal(errors(await samples.retrieveTwoFactorStatus(stranger), 401), undefined);
});
