// A life of an account, with openapi-fetch and the types that openapi-typescript makes of openapi/better-auth.yaml.

import assert from "node:assert/strict";
import test from "node:test";
import createClient from "openapi-fetch";
import { Authenticator } from "../../support/authenticator.mjs";
import { startServer, type Server } from "../../support/server.mjs";
import type { components, paths } from "./generated/better-auth.js";

const PASSWORD = "correct horse battery staple";
const EMAIL = "ada@example.com";

type BetterAuthError = components["schemas"]["Error"];

/** A client for whoever holds this token. */
function clientOf(server: Server, token?: string) {
  // Node's fetch says `Sec-Fetch-Mode`, as pages do, and pages have to say where they come from when they sign in.
  const headers = { origin: server.baseURL, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return createClient<paths>({ baseUrl: `${server.baseURL}/api/auth`, headers });
}

/** The data of a call that must succeed. */
function data<Data>({ data, error, response }: { data?: Data; error?: BetterAuthError; response: Response }): Data {
  assert.equal(response.status, 200, JSON.stringify(error));
  assert.notEqual(data, undefined);
  return data as Data;
}

/** Checks that a call was refused with this status and code. */
function refused(call: { data?: unknown; error?: BetterAuthError; response: Response }, status: number, code: string) {
  const { data, error, response } = call;
  assert.equal(data, undefined);
  assert.deepEqual([response.status, error?.code], [status, code], error?.message);
}

test("openapi-fetch, Better Auth: a second factor is set up, signs in and is switched off", async (t) => {
  const server = await startServer(t);
  const stranger = clientOf(server);
  const signedUp = data(
    await stranger.POST("/sign-up/email", { body: { name: "Ada", email: EMAIL, password: PASSWORD } }),
  );
  assert.equal(signedUp.user.email, EMAIL);
  assert.equal(signedUp.user.image, null);
  // Only a sign-up that waits for verification has none.
  assert.ok(signedUp.token);

  const first = clientOf(server, signedUp.token);
  const enabled = data(await first.POST("/two-factor/enable", { body: { password: PASSWORD } }));
  assert.ok(enabled.method === "totp" && enabled.totpURI !== undefined && enabled.backupCodes !== undefined);
  const authenticator = new Authenticator(enabled.totpURI);
  const code = await authenticator.nextCode();
  const confirmed = data(await first.POST("/two-factor/verify-totp", { body: { code } }));
  assert.equal(confirmed.status, true);
  assert.equal(confirmed.user?.twoFactorEnabled, true);

  const credentials = { email: EMAIL, password: PASSWORD };
  const challenge = data(await stranger.POST("/sign-in/email", { body: credentials }));
  assert.deepEqual([challenge.twoFactorRedirect, challenge.twoFactorMethods], [true, ["totp", "otp"]]);
  assert.deepEqual([challenge.redirect, challenge.token], [false, challenge.twoFactorToken]);
  assert.deepEqual([challenge.user?.id, challenge.user?.email], [undefined, EMAIL]);
  const second = clientOf(server, challenge.twoFactorToken);
  refused(await second.POST("/two-factor/disable", { body: { password: PASSWORD } }), 401, "UNAUTHORIZED");
  const signedIn = data(
    await second.POST("/two-factor/verify-backup-code", {
      body: { code: enabled.backupCodes[0], disableSession: false, trustDevice: "true" },
    }),
  );

  const session = clientOf(server, signedIn.token);
  const shown = data(await session.GET("/get-session"));
  assert.equal(shown?.user.id, signedUp.user.id);
  assert.equal(shown.session.token, signedIn.session?.token);
  assert.deepEqual(data(await session.POST("/get-session")), shown);
  assert.equal(data(await clientOf(server).GET("/get-session")), null);
  assert.equal(data(await session.POST("/two-factor/send-otp")).status, true);
  const mailed = await server.mailedCode(EMAIL);
  assert.equal(data(await session.POST("/two-factor/verify-otp", { body: { code: mailed } })).token, signedIn.token);
  const uri = data(await session.POST("/two-factor/get-totp-uri", { body: { password: PASSWORD } })).totpURI;
  assert.equal(uri, enabled.totpURI);
  const fresh = data(await session.POST("/two-factor/generate-backup-codes", { body: { password: PASSWORD } }));
  assert.equal(fresh.backupCodes.length, 10);
  assert.equal(data(await session.POST("/two-factor/disable", { body: { password: PASSWORD } })).status, true);
  assert.equal(data(await stranger.POST("/sign-in/email", { body: credentials })).user?.twoFactorEnabled, false);
});

test("openapi-fetch, Better Auth: refusals carry a status and a code", async (t) => {
  const server = await startServer(t);
  const stranger = clientOf(server);
  const body = { email: EMAIL, password: "wrong password" };
  refused(await stranger.POST("/sign-in/email", { body }), 401, "INVALID_EMAIL_OR_PASSWORD");
  refused(await stranger.GET("/list-sessions"), 401, "UNAUTHORIZED");
  // What the contract does not have, does not compile.
  // @ts-expect-error: `code` is required.
  refused(await stranger.POST("/two-factor/verify-totp", { body: {} }), 400, "VALIDATION_ERROR");
  // @ts-expect-error: there is no such path.
  assert.equal((await stranger.POST("/two-factor/nothing", {})).response.status, 404);
});
