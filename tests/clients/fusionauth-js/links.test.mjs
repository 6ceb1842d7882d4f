// Ids and codes that are mailed, with the real FusionAuth client.

import assert from "node:assert/strict";
import { test } from "node:test";
import { APPLICATION, PASSWORD, clientWith, enrolled, newUser, refused, startService, succeeds } from "./support.mjs";

const NEW = "another horse battery staple";

/** What the newest link to a user carries. */
async function mailed(server, user, count) {
  return (await server.mailedLink(user.email, count)).split("/").at(-1);
}

test("a forgotten password is set by an id that is mailed or that a service gets", async (t) => {
  const { client, server } = await startService(t);
  const stranger = clientWith(server, null);
  const user = await newUser(client);
  assert.deepEqual(await succeeds(stranger.forgotPassword({ loginId: user.email, state: { page: 7 } })), {});
  assert.deepEqual(await succeeds(stranger.forgotPassword({ loginId: "nobody@example.com" })), {});
  const id = await mailed(server, user, 1);
  await succeeds(stranger.checkChangePasswordUsingId(id));
  const { oneTimePassword, state } = await succeeds(stranger.changePassword(id, { password: NEW }));
  assert.deepEqual(state, { page: 7 });
  await refused(stranger.checkChangePasswordUsingId(id), 404);
  await succeeds(client.login({ oneTimePassword, applicationId: APPLICATION }));
  await succeeds(client.login({ ...user.login, password: NEW }));
  const { changePasswordId } = await succeeds(
    client.forgotPassword({ loginId: user.email, sendForgotPasswordEmail: false }),
  );
  await succeeds(stranger.changePassword(changePasswordId, { password: PASSWORD }));
  await refused(client.forgotPassword({ loginId: "nobody@example.com" }), 404);

  const second = await enrolled(client);
  const forgotten = await succeeds(client.forgotPassword({ email: second.email }));
  const required = await refused(stranger.checkChangePasswordUsingId(forgotten.changePasswordId), 400);
  assert.equal(required.generalErrors[0].code, "[TrustTokenRequired]");
  await refused(stranger.changePassword(forgotten.changePasswordId, { password: NEW }), 400);
  const begun = await succeeds(client.startTwoFactorLogin({ userId: second.id, trustChallenge: "mine" }));
  const passed = await succeeds(stranger.twoFactorLogin({ twoFactorId: begun.twoFactorId, code: begun.code }));
  const trusted = { trustToken: passed.trustToken, trustChallenge: "mine" };
  const changed = await succeeds(
    stranger.changePassword(forgotten.changePasswordId, { password: NEW, ...trusted }),
  );
  await succeeds(client.login({ oneTimePassword: changed.oneTimePassword, applicationId: APPLICATION }), 242);
});

test("an address is verified by an id or by a service", async (t) => {
  const { client, server } = await startService(t);
  const stranger = clientWith(server, null);
  const verified = async ({ id }) => (await succeeds(client.retrieveUser(id))).user.verified;
  for (const verify of [
    async (user) => {
      await succeeds(stranger.resendEmailVerification(user.email));
      return stranger.verifyEmail(await mailed(server, user, 1));
    },
    async (user) => {
      await succeeds(client.resendEmailVerificationWithApplicationTemplate(APPLICATION, user.email));
      return stranger.verifyEmailAddress({ verificationId: await mailed(server, user, 1) });
    },
    async (user) => {
      const { verificationId } = await succeeds(client.generateEmailVerificationId(user.email));
      return client.verifyEmailAddress({ verificationId });
    },
    async (user) => client.verifyEmailAddressByUserId({ userId: user.id }),
  ]) {
    const user = await newUser(client);
    assert.equal(await verified(user), false);
    await succeeds(verify(user));
    assert.equal(await verified(user), true);
  }
  await refused(client.generateEmailVerificationId("nobody@example.com"), 404);
  await refused(stranger.verifyEmail("nonsense"), 404);
});

test("a code logs in without a password, and skips no second factor", async (t) => {
  const { client, server } = await startService(t);
  const stranger = clientWith(server, null);
  const user = await newUser(client);
  const start = { applicationId: APPLICATION, loginId: user.email };
  const started = await succeeds(client.startPasswordlessLogin({ ...start, state: { page: 7 } }));
  await succeeds(stranger.sendPasswordlessCode({ code: started.code }));
  await refused(stranger.passwordlessLogin({ code: started.code }), 404);
  const code = await mailed(server, user, 1);
  const logged = await succeeds(stranger.passwordlessLogin({ code }));
  assert.deepEqual([logged.user.email, logged.state], [user.email, { page: 7 }]);
  assert.equal((await succeeds(client.validateJWT(logged.token))).jwt.sub, user.id);
  await refused(stranger.passwordlessLogin({ code }), 404);
  await succeeds(stranger.sendPasswordlessCode(start));
  await succeeds(stranger.passwordlessLogin({ code: await mailed(server, user, 2), noJWT: true }));

  const second = await enrolled(client);
  const begun = await succeeds(client.startPasswordlessLogin({ ...start, loginId: second.email }));
  const challenge = await succeeds(stranger.passwordlessLogin({ code: begun.code }), 242);
  const answer = { twoFactorId: challenge.twoFactorId, code: second.recoveryCodes[0], trustComputer: true };
  const { twoFactorTrustId } = await succeeds(stranger.twoFactorLogin({ ...answer, applicationId: APPLICATION }));
  const again = await succeeds(client.startPasswordlessLogin({ ...start, loginId: second.email }));
  await succeeds(stranger.passwordlessLogin({ code: again.code, twoFactorTrustId }));
});
