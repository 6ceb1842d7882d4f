// The samples of the published page of FusionAuth's `TwoFactorController`, with values and as the page prints them.

import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Authenticator } from "../../support/authenticator.mjs";
import { startServer } from "../../support/server.mjs";
import * as samples from "./document-001.samples.js";
import type { Errors } from "./generated/fusionauth/index.js";
import {
  ApiError,
  Client,
  ErrorsError,
  LoginController,
  TwoFactorController,
  UserController,
  type ApiResponse,
} from "./fusionauth-apilib.js";

const PASSWORD = "correct horse battery staple";
const EMAIL = "ada@example.com";
const APPLICATION = "c0de0000-0000-4000-8000-000000000002";
const USER_ID = "0b7c1e0a-57ab-4c1a-9d55-0123456789ab";

/** A server, and a client that shows it an API key; more of them with other credentials. */
async function start(t: TestContext) {
  const server = await startServer(t);
  const clientWith = ({ apiKey, accessToken }: { apiKey?: string; accessToken?: string }) =>
    new Client({
      baseUri: server.baseURL,
      ...(apiKey !== undefined && { apiKeyAuthCredentials: { Authorization: apiKey } }),
      ...(accessToken !== undefined && { bearerAuthCredentials: { accessToken } }),
    });
  return { server, clientWith, client: clientWith({ apiKey: server.apiKey() }) };
}

function controllerOf(client: Client): TwoFactorController {
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
  const [userController, loginController] = [new UserController(client), new LoginController(client)];
  const body = { user: { email: EMAIL, password: PASSWORD } };
  const { result: made } = await userController.createUser(USER_ID, undefined, body);
  const userId = made.user.id;
  assert.equal(userId, USER_ID);
  const loginRequest = { loginId: EMAIL, password: PASSWORD, applicationId: APPLICATION };
  const { result: loggedIn } = await loginController.login(undefined, loginRequest);
  const accessToken = loggedIn.token;
  assert.ok(accessToken !== undefined);

  // It looks a user up by their own token, and not by an id.
  const own = await new UserController(
    clientWith({ accessToken }),
  ).retrieveUserByChangePasswordIdByEmailByLoginIdByUsernameByVerificationIdUsingJWT();
  assert.deepEqual([own.statusCode, own.result.user.id, own.result.user.email], [200, userId, EMAIL]);

  // Without a trust, the path ends in a slash.
  assert.deepEqual(result(await samples.retrieveTwoFactorStatus(twoFactorController, "", userId)), {});

  // The user has their own token make a secret for an app, and a code sent that proves an address.
  const personal = controllerOf(clientWith({ accessToken }));
  const { secret, secretBase32Encoded } = result(await samples.generateTwoFactorSecretUsingJWT(personal));
  const app = Authenticator.of(secretBase32Encoded);
  const authenticator = { method: "authenticator", secret, code: await app.nextCode() };
  assert.equal((await userController.enableTwoFactor(userId, authenticator)).result.recoveryCodes?.length, 10);
  const email = { method: "email", email: EMAIL };
  assert.equal(
    result(await samples.sendTwoFactorCodeForEnableDisable(twoFactorController, { userId, ...email })),
    undefined,
  );
  const byMail = { ...email, code: await server.mailedCode(EMAIL) };
  await userController.enableTwoFactor(userId, byMail);

  // Logging in is answered with a challenge; a code is sent by a method of it, and completes it.
  const asked = await loginController.login(undefined, loginRequest);
  assert.equal(asked.statusCode, 242);
  const { twoFactorId, methods: offered = [] } = asked.result;
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
  assert.deepEqual(result(await samples.retrieveTwoFactorStatus(twoFactorController, "", userId), 242), {});

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
  // This one shows a token, and the client has an API key alone: a refusal without a body is an error without a result.
  assert.equal(errors(await samples.generateTwoFactorSecretUsingJWT(twoFactorController), 401), undefined);
  const stranger = controllerOf(clientWith({}));
  assert.equal(errors(await samples.retrieveTwoFactorStatus(stranger), 401), undefined);
});

test("TwoFactorController: every error is one of the class that the page names", async (t) => {
  const { client, clientWith } = await start(t);
  const userId = USER_ID;
  const body = { user: { email: EMAIL, password: PASSWORD } };
  await new UserController(client).createUser(userId, undefined, body);
  const begun = await controllerOf(client).startTwoFactorLogin({ userId });
  const { twoFactorId, code } = begun.result;
  const wrong = code === "000000" ? "000001" : "000000";
  const [service, stranger] = [controllerOf(client), controllerOf(clientWith({}))];
  const calls: Array<[number, () => Promise<ApiResponse<unknown>>]> = [
    [400, () => service.retrieveTwoFactorStatus("x")],
    [400, () => service.retrieveTwoFactorStatus("", "no id")],
    [401, () => stranger.retrieveTwoFactorStatus("x", userId)],
    [400, () => service.startTwoFactorLogin()],
    [401, () => stranger.startTwoFactorLogin({ userId })],
    [404, () => service.startTwoFactorLogin({ loginId: "nobody@example.com" })],
    [400, () => service.twoFactorLogin()],
    [421, () => service.twoFactorLogin({ twoFactorId, code: wrong })],
    [404, () => service.twoFactorLogin({ twoFactorId: "twoFactorId2", code })],
    [400, () => service.sendTwoFactorCodeForEnableDisable({ userId, method: "authenticator" })],
    [401, () => stranger.sendTwoFactorCodeForEnableDisable({ userId, method: "email", email: EMAIL })],
    [400, () => service.sendTwoFactorCodeForLoginUsingMethod(twoFactorId)],
    [404, () => service.sendTwoFactorCodeForLoginUsingMethod("twoFactorId2", { methodId: "KLRT" })],
  ];
  for (const [statusCode, call] of calls) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof ErrorsError, `${call}: ${error}`);
      assert.equal(error.statusCode, statusCode, `${call}`);
      // A body says what is wrong; other errors have none.
      assert.equal(error.result !== undefined, statusCode === 400, `${call}`);
      return true;
    });
  }
  // Too many codes to one address, and a user who is locked out; both are errors of the class, too.
  const refused = (call: () => Promise<ApiResponse<unknown>>, statusCode: number) =>
    assert.rejects(call, (error) => {
      assert.ok(error instanceof ErrorsError, `${call}: ${error}`);
      assert.equal(error.statusCode, statusCode, `${call}`);
      return true;
    });
  const send = () => service.sendTwoFactorCodeForEnableDisable({ userId, method: "email", email: "other@example.com" });
  for (let count = 0; count < 10; count += 1) await send();
  await refused(send, 429);
  // Ten wrong codes lock the user out, and one was given above. `fetch` sends a request once more whose response is 421 (WHATWG
  // Fetch, HTTP-network-or-cache fetch), which counts once; the second response to the tenth one says that the user is locked.
  for (let count = 2; count <= 10; count += 1) {
    const { result: next } = await service.startTwoFactorLogin({ userId, code: "right" });
    const attempt = () => service.twoFactorLogin({ twoFactorId: next.twoFactorId, code: "wrong" });
    await refused(attempt, count < 10 ? 421 : 409);
  }
  const { result: last } = await service.startTwoFactorLogin({ userId });
  await refused(() => service.twoFactorLogin({ twoFactorId: last.twoFactorId, code: last.code }), 409);
  await assert.rejects(stranger.generateTwoFactorSecretUsingJWT(), (error) => {
    assert.ok(error instanceof ApiError && !(error instanceof ErrorsError) && error.statusCode === 401);
    return true;
  });
});
