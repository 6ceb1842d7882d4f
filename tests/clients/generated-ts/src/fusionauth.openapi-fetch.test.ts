// A service and its user, with openapi-fetch and the types that openapi-typescript makes of openapi/fusionauth.yaml.

import assert from "node:assert/strict";
import test from "node:test";
import createClient from "openapi-fetch";
import { Authenticator } from "../../support/authenticator.mjs";
import { startServer, type Server } from "../../support/server.mjs";
import type { paths } from "./generated/fusionauth.js";

const PASSWORD = "correct horse battery staple";
const EMAIL = "ada@example.com";
const APPLICATION = "c0de0000-0000-4000-8000-000000000002";

/** A client that shows this in `Authorization`: an API key, `Bearer` and an access token, or nothing. */
function clientOf(server: Server, authorization?: string) {
  return createClient<paths>({ baseUrl: server.baseURL, headers: { authorization } });
}

/** Checks that a call succeeds with this status; returns its data. */
function succeeded<Data>(response: { data?: Data; error?: unknown; response: Response }, status = 200): Data {
  assert.equal(response.response.status, status, JSON.stringify(response.error));
  assert.notEqual(response.data, undefined);
  return response.data as Data;
}

test("openapi-fetch, FusionAuth: a service makes a user, who logs in with a second factor", async (t) => {
  const server = await startServer(t);
  const service = clientOf(server, server.apiKey());
  const { user } = succeeded(
    await service.POST("/api/user", { body: { user: { email: EMAIL, password: PASSWORD, firstName: "Ada" } } }),
  );
  assert.deepEqual([user.email, user.firstName, user.twoFactor], [EMAIL, "Ada", undefined]);
  const path = { userId: user.id };
  const registration = { applicationId: APPLICATION };
  succeeded(await service.POST("/api/user/registration/{userId}", { params: { path }, body: { registration } }));

  const { secret, secretBase32Encoded } = succeeded(await service.GET("/api/two-factor/secret"));
  const app = Authenticator.of(secretBase32Encoded);
  const enable = { method: "authenticator", secret, code: await app.nextCode(), name: "telephone" };
  const enabled = await service.POST("/api/user/two-factor/{userId}", { params: { path }, body: enable });
  const recoveryCodes = succeeded(enabled).recoveryCodes ?? assert.fail("no recovery codes");
  assert.equal(recoveryCodes.length, 10);

  const login = { loginId: EMAIL, password: PASSWORD, applicationId: APPLICATION };
  const challenge = succeeded(await service.POST("/api/login", { body: login }), 242);
  assert.deepEqual([challenge.token, challenge.methods?.[0]?.name], [undefined, "telephone"]);

  // Completing a login takes no key: the challenge is the credential.
  const person = clientOf(server);
  const { twoFactorId } = challenge;
  const wrong = await person.POST("/api/two-factor/login", { body: { twoFactorId, code: app.wrongCode() } });
  assert.deepEqual([wrong.response.status, wrong.data], [421, undefined]);
  const right = { twoFactorId, code: await app.nextCode(), trustComputer: true };
  const done = succeeded(await person.POST("/api/two-factor/login", { body: right }));
  assert.equal(done.user?.id, user.id);
  const twoFactorTrustId = done.twoFactorTrustId ?? assert.fail("the device is not trusted");
  const userId = user.id;
  const status = await service.GET("/api/two-factor/status/{twoFactorTrustId}", {
    params: { path: { twoFactorTrustId }, query: { userId } },
  });
  assert.equal(succeeded(status).trusts?.length, 1);
  succeeded(await service.GET("/api/two-factor/status", { params: { query: { userId } } }), 242);
  const { jwt } = succeeded(await clientOf(server, `Bearer ${done.token}`).GET("/api/jwt/validate"));
  assert.deepEqual([jwt.sub, jwt.amr], [user.id, ["mfa"]]);

  const by = { params: { path, query: { code: recoveryCodes[0] } } };
  assert.equal((await service.DELETE("/api/user/two-factor/{userId}", by)).response.status, 200);
  assert.equal(succeeded(await service.POST("/api/login", { body: login })).user?.id, user.id);
});

test("openapi-fetch, FusionAuth: refusals say what is wrong", async (t) => {
  const server = await startServer(t);
  const service = clientOf(server, server.apiKey());
  const { data, error, response } = await service.POST("/api/login", { body: {} });
  assert.deepEqual([data, response.status], [undefined, 400]);
  assert.ok(error && !("actions" in error));
  assert.deepEqual(error.fieldErrors?.loginId?.map(({ code }) => code), ["[blank]loginId"]);
  const params = { path: { userId: "00000000-0000-4000-8000-000000000000" } };
  assert.equal((await service.GET("/api/user/{userId}", { params })).response.status, 404);
  assert.equal((await clientOf(server, "not a key").GET("/api/user/{userId}", { params })).response.status, 401);
  // What the contract does not have, does not compile.
  // @ts-expect-error: a login id is a text.
  assert.equal((await service.POST("/api/login", { body: { loginId: 7 } })).response.status, 400);
});
