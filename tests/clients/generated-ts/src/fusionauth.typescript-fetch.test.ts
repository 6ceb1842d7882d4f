// A service and its user, with the client that openapi-generator's typescript-fetch makes of openapi/fusionauth.yaml.

import assert from "node:assert/strict";
import test from "node:test";
import { Authenticator } from "../../support/authenticator.mjs";
import { startServer, type Server } from "../../support/server.mjs";
import {
  Configuration,
  ErrorsFromJSON,
  JWTApi,
  LoginApi,
  MethodsApi,
  ResponseError,
  StatusApi,
  TwoFactorApi,
  TwoFactorMethodName,
  UsersApi,
  type Errors,
} from "./generated/fusionauth/index.js";

const PASSWORD = "correct horse battery staple";
const EMAIL = "ada@example.com";
const APPLICATION = "c0de0000-0000-4000-8000-000000000002";

/** The classes of the generated client, with an API key, an access token, or neither. */
function clients(server: Server, credentials: { apiKey?: string; accessToken?: string } = {}) {
  const configuration = new Configuration({ basePath: server.baseURL, ...credentials });
  return {
    jwt: new JWTApi(configuration),
    login: new LoginApi(configuration),
    methods: new MethodsApi(configuration),
    status: new StatusApi(configuration),
    twoFactor: new TwoFactorApi(configuration),
    users: new UsersApi(configuration),
  };
}

/** Checks that a call is refused with this status; returns what is wrong, of which there is none but for a 400. */
async function refused(call: Promise<unknown>, status: number): Promise<Errors> {
  const error: unknown = await call.then(
    (response) => assert.fail(`not refused: ${JSON.stringify(response)}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ResponseError, String(error));
  assert.equal(error.response.status, status);
  const text = await error.response.text();
  assert.equal(text === "", status !== 400, text);
  return ErrorsFromJSON(text === "" ? {} : JSON.parse(text));
}

test("typescript-fetch, FusionAuth: a service makes a user, who logs in with a second factor", async (t) => {
  const server = await startServer(t);
  const service = clients(server, { apiKey: server.apiKey() });
  const { user } = await service.users.createUser({
    userRequest: { user: { email: EMAIL, password: PASSWORD, data: { plan: ["free", 1, null] } } },
  });
  assert.deepEqual([user.email, user.active, user.data], [EMAIL, true, { plan: ["free", 1, null] }]);
  const userId = user.id;
  await service.users.register({
    userId,
    registrationRequest: { registration: { applicationId: APPLICATION } },
  });
  const loginRequest = { loginId: EMAIL, password: PASSWORD, applicationId: APPLICATION };
  assert.equal((await service.login.login({ loginRequest })).user?.id, userId);

  const { secret, secretBase32Encoded } = await service.twoFactor.generateTwoFactorSecretUsingJWT();
  const app = Authenticator.of(secretBase32Encoded);
  const { recoveryCodes } = await service.methods.enableTwoFactor({
    userId,
    twoFactorRequest: { method: "authenticator", secret, code: await app.nextCode() },
  });
  assert.equal(recoveryCodes?.length, 10);

  // 242 is a success, and what it means is in the status.
  const asked = await service.login.loginRaw({ loginRequest });
  assert.equal(asked.raw.status, 242);
  const challenge = await asked.value();
  assert.deepEqual([challenge.token, challenge.user], [undefined, undefined]);
  assert.deepEqual(challenge.methods?.map(({ method }) => method), [TwoFactorMethodName.Authenticator]);

  // Completing a login takes no key: the challenge is the credential.
  const person = clients(server);
  const { twoFactorId } = challenge;
  const wrong = { twoFactorId, code: app.wrongCode() };
  await refused(person.twoFactor.twoFactorLogin({ twoFactorLoginRequest: wrong }), 421);
  // Node's fetch has sent it twice.
  assert.equal((await service.users.retrieveUserLock({ userId })).guesses, 1);
  const twoFactorLoginRequest = { twoFactorId, code: await app.nextCode(), trustComputer: true };
  const done = await person.twoFactor.twoFactorLogin({ twoFactorLoginRequest });
  assert.equal(done.user?.id, userId);
  await refused(person.twoFactor.twoFactorLogin({ twoFactorLoginRequest }), 404);
  const twoFactorTrustId = done.twoFactorTrustId ?? assert.fail("the device is not trusted");
  const trusted = await service.twoFactor.retrieveTwoFactorStatusRaw({ twoFactorTrustId, userId });
  assert.equal(trusted.raw.status, 200);
  assert.equal((await trusted.value()).trusts?.length, 1);

  const withToken = clients(server, { accessToken: done.token });
  const { jwt } = await withToken.jwt.validateJWT();
  assert.deepEqual([jwt.sub, jwt.amr], [userId, ["mfa"]]);
  // A response without a body is a response.
  const sent = await withToken.twoFactor.sendTwoFactorCodeForEnableDisableRaw({
    twoFactorSendRequest: { method: "email", email: EMAIL },
  });
  assert.equal(sent.raw.status, 200);
  const added = await withToken.methods.enableTwoFactorUsingJWT({
    twoFactorRequest: { method: "email", email: EMAIL, code: await server.mailedCode(EMAIL) },
  });
  assert.equal(added.recoveryCodes, undefined);

  await service.methods.disableTwoFactor({ userId, code: recoveryCodes[0] });
  assert.equal((await service.login.loginRaw({ loginRequest })).raw.status, 200);
});

test("typescript-fetch, FusionAuth: refusals say what is wrong", async (t) => {
  const server = await startServer(t);
  const service = clients(server, { apiKey: server.apiKey() });
  // A body that is not required may be left out.
  for (const loginRequest of [undefined, {}]) {
    const { fieldErrors } = await refused(service.login.login({ loginRequest }), 400);
    assert.deepEqual(fieldErrors?.loginId?.map(({ code }) => code), ["[blank]loginId"]);
  }
  await refused(service.login.login({ loginRequest: { loginId: EMAIL, password: PASSWORD } }), 404);
  const userId = "00000000-0000-4000-8000-000000000000";
  await refused(clients(server, { apiKey: "not a key" }).users.retrieveUser({ userId }), 401);
  assert.equal((await clients(server).status.retrieveSystemStatus()).version, undefined);
});
