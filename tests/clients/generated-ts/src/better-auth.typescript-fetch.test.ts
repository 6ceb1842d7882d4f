// A life of an account, with the client that openapi-generator's typescript-fetch makes of openapi/better-auth.yaml.

import assert from "node:assert/strict";
import test from "node:test";
import { Authenticator } from "../../support/authenticator.mjs";
import { startServer, type Server } from "../../support/server.mjs";
import {
  Configuration,
  DefaultApi,
  ModelErrorFromJSON,
  ResponseError,
  SignInEmail200ResponseTwoFactorMethodsEnum,
  TwoFactorApi,
} from "./generated/better-auth/index.js";

const PASSWORD = "correct horse battery staple";
const EMAIL = "ada@example.com";

/** The classes of the generated client, for whoever holds this token. */
function clients(server: Server, accessToken?: string) {
  const configuration = new Configuration({
    basePath: `${server.baseURL}/api/auth`,
    accessToken,
    // Node's fetch says `Sec-Fetch-Mode`, as pages do, and pages have to say where they come from when they sign in.
    headers: { origin: server.baseURL },
  });
  return { accounts: new DefaultApi(configuration), twoFactor: new TwoFactorApi(configuration) };
}

/** Checks that a call is refused with this status and code. */
async function refused(call: Promise<unknown>, status: number, code: string): Promise<void> {
  const error: unknown = await call.then(
    (response) => assert.fail(`not refused: ${JSON.stringify(response)}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ResponseError, String(error));
  const body = ModelErrorFromJSON(await error.response.json());
  assert.deepEqual([error.response.status, body.code], [status, code], body.message);
}

test("typescript-fetch, Better Auth: a second factor is set up, signs in and is switched off", async (t) => {
  const server = await startServer(t);
  const before = Date.now();
  const signUpWithEmailAndPasswordRequest = { name: "Ada", email: EMAIL, password: PASSWORD };
  const stranger = clients(server);
  const signedUp = await stranger.accounts.signUpWithEmailAndPassword({ signUpWithEmailAndPasswordRequest });
  assert.equal(signedUp.user.email, EMAIL);
  assert.ok(signedUp.user.createdAt instanceof Date);
  assert.ok(before <= signedUp.user.createdAt.getTime() && signedUp.user.createdAt.getTime() <= Date.now());

  const first = clients(server, signedUp.token);
  const password = { password: PASSWORD };
  const enabled = await first.twoFactor.twoFactorEnablePost({
    twoFactorEnablePostRequest: { ...password, issuer: "Example Shop" },
  });
  assert.ok(enabled.method === "totp" && enabled.totpURI !== undefined);
  assert.equal(enabled.backupCodes?.length, 10);
  const authenticator = new Authenticator(enabled.totpURI);
  assert.equal(authenticator.uri.searchParams.get("issuer"), "Example Shop");
  const confirmed = await first.twoFactor.twoFactorVerifyTotpPost({
    twoFactorVerifyTotpPostRequest: { code: await authenticator.nextCode() },
  });
  assert.equal(confirmed.status, true);
  assert.equal(confirmed.user?.twoFactorEnabled, true);

  const signInEmailRequest = { email: EMAIL, password: PASSWORD };
  const challenge = await stranger.accounts.signInEmail({ signInEmailRequest });
  assert.equal(challenge.twoFactorRedirect, true);
  assert.deepEqual([challenge.redirect, challenge.token], [false, challenge.twoFactorToken]);
  assert.deepEqual([challenge.user?.id, challenge.user?.email], [undefined, EMAIL]);
  const { Totp, Otp } = SignInEmail200ResponseTwoFactorMethodsEnum;
  assert.deepEqual(challenge.twoFactorMethods, [Totp, Otp]);
  const second = clients(server, challenge.twoFactorToken);
  assert.equal(await second.accounts.getSession(), null);
  // A body that may be left out is left out, and so are the fields of one that is not.
  assert.deepEqual(await second.twoFactor.twoFactorSendOtpPost(), { status: true, token: undefined, user: undefined });
  assert.equal((await second.twoFactor.twoFactorSendOtpPost({ twoFactorSendOtpPostRequest: {} })).status, true);
  const signedIn = await second.twoFactor.twoFactorVerifyOtpPost({
    twoFactorVerifyOtpPostRequest: { code: await server.mailedCode(EMAIL), trustDevice: true },
  });

  const session = clients(server, signedIn.token);
  const shown = await session.accounts.getSession();
  assert.deepEqual([shown.session.token, shown.user.id], [signedIn.token, signedUp.user.id]);
  assert.equal(shown.session.expiresAt.getTime() - shown.session.createdAt.getTime(), 7 * 24 * 60 * 60 * 1000);
  const { totpURI } = await session.twoFactor.twoFactorGetTotpUriPost({ twoFactorGetTotpUriPostRequest: password });
  assert.equal(new URL(totpURI).searchParams.get("secret"), authenticator.uri.searchParams.get("secret"));
  const { backupCodes } = await session.twoFactor.twoFactorGenerateBackupCodesPost({
    twoFactorGenerateBackupCodesPostRequest: password,
  });
  const backed = await session.twoFactor.twoFactorVerifyBackupCodePost({
    twoFactorVerifyBackupCodePostRequest: { code: backupCodes[0], disableSession: "false", trustDevice: "true" },
  });
  assert.equal(backed.session?.userId, signedUp.user.id);
  const disabled = await session.twoFactor.twoFactorDisablePost({ twoFactorGetTotpUriPostRequest: password });
  assert.equal(disabled.status, true);
  assert.equal((await stranger.accounts.signInEmail({ signInEmailRequest })).user?.twoFactorEnabled, false);
});

test("typescript-fetch, Better Auth: refusals carry a status and a code", async (t) => {
  const server = await startServer(t);
  const stranger = clients(server);
  const wrong = { email: EMAIL, password: "wrong password" };
  await refused(stranger.accounts.signInEmail({ signInEmailRequest: wrong }), 401, "INVALID_EMAIL_OR_PASSWORD");
  const short = { name: "Ada", email: EMAIL, password: "short" };
  await refused(
    stranger.accounts.signUpWithEmailAndPassword({ signUpWithEmailAndPasswordRequest: short }),
    400,
    "PASSWORD_TOO_SHORT",
  );
  await refused(stranger.accounts.listUserSessions(), 401, "UNAUTHORIZED");
  const code = { code: "123456" };
  await refused(
    stranger.twoFactor.twoFactorVerifyTotpPost({ twoFactorVerifyTotpPostRequest: code }),
    401,
    "INVALID_TWO_FACTOR_COOKIE",
  );
});
