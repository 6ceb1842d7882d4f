// What a service does for its users, with the real FusionAuth client: finds them, registers them, and locks them for a time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { APPLICATION, challenged, enrolled, newUser, refused, startService, succeeds } from "./support.mjs";

const LOCK = "c0de0000-0000-4000-8000-000000000009";

test("users are found by their ids and by their names", async (t) => {
  const { client } = await startService(t);
  const [ada, bob] = [await newUser(client, { username: "Countess" }), await newUser(client)];
  const ids = [ada.id, bob.id].sort();
  const idsOf = ({ users }) => users.map(({ id }) => id);
  const unknown = "01a1fd04-be02-75f5-bdbd-868b7959e05d";
  for (const find of [client.searchUsersByIds, client.searchUsers]) {
    const found = await succeeds(find.call(client, [...ids, unknown]));
    assert.deepEqual([idsOf(found), found.total], [ids, 2]);
  }
  for (const [queryString, expected] of [
    ["*", ids],
    [ada.email, [ada.id]],
    [`email:${bob.email}`, [bob.id]],
    ["ada.*", ids],
    ["username:count*", [ada.id]],
    ["nobody*", []],
  ]) {
    const search = { queryString, numberOfResults: 10, startRow: 0, accurateTotal: true };
    const found = await succeeds(client.searchUsersByQueryString({ search }));
    assert.deepEqual([idsOf(found), found.total], [expected, expected.length], queryString);
  }
  const elastic = { query: JSON.stringify({ match_all: {} }) };
  const { fieldErrors } = await refused(client.searchUsersByQuery({ search: elastic }), 400);
  assert.equal(fieldErrors["search.query"][0].code, "[notSupported]search.query");
});

test("a registration is read, changed and deleted", async (t) => {
  const { client } = await startService(t);
  const user = await newUser(client);
  const { registration } = await succeeds(client.retrieveRegistration(user.id, APPLICATION));
  assert.equal(registration.applicationId, APPLICATION);
  const fields = { applicationId: APPLICATION, username: "ada", data: { level: 1 } };
  const updated = await succeeds(client.updateRegistration(user.id, { registration: fields }));
  assert.deepEqual([updated.registration.id, updated.registration.username], [registration.id, "ada"]);
  const patch = { applicationId: APPLICATION, data: { more: 2 } };
  const patched = await succeeds(client.patchRegistration(user.id, { registration: patch }));
  assert.deepEqual([patched.registration.username, patched.registration.data], ["ada", { level: 1, more: 2 }]);
  const { refreshToken } = await succeeds(client.login(user.login));
  await succeeds(client.deleteRegistration(user.id, APPLICATION));
  await refused(client.retrieveRegistration(user.id, APPLICATION), 404);
  await refused(client.exchangeRefreshTokenForJWT({ refreshToken }), 404);
  await succeeds(client.login(user.login), 202);
  await succeeds(client.register(user.id, { registration: { applicationId: APPLICATION } }));
  await succeeds(client.deleteRegistrationWithRequest(user.id, APPLICATION, { eventInfo: { ipAddress: "203.0.113.7" } }));
  await refused(client.deleteRegistration(user.id, APPLICATION), 404);
});

test("a user is locked until some time, and unlocked", async (t) => {
  const { client } = await startService(t);
  const user = await newUser(client);
  const expiry = Date.now() + 3_600_000;
  const action = { actioneeUserId: user.id, actionerUserId: user.id, userActionId: LOCK, expiry, comment: "a scam" };
  const taken = (await succeeds(client.actionUser({ action, broadcast: false }))).action;
  assert.deepEqual([taken.actioneeUserId, taken.expiry, taken.comment], [user.id, expiry, "a scam"]);
  const { actions } = await refused(client.login(user.login), 409);
  assert.equal(actions[0].expiry, expiry);
  for (const list of [client.retrieveActions, client.retrieveActiveActions, client.retrieveActionsPreventingLogin]) {
    assert.deepEqual((await succeeds(list.call(client, user.id))).actions, [taken]);
  }
  const later = expiry + 1000;
  const change = { action: { actionerUserId: user.id, expiry: later } };
  assert.equal((await succeeds(client.modifyAction(taken.id, change))).action.expiry, later);
  assert.equal((await succeeds(client.retrieveAction(taken.id))).action.expiry, later);
  await succeeds(client.cancelAction(taken.id, { action: { actionerUserId: user.id, comment: "let in" } }));
  await refused(client.retrieveAction(taken.id), 404);
  await succeeds(client.login(user.login));
});

test("a user who is locked after wrong codes is let in", async (t) => {
  const { client } = await startService(t);
  const user = await enrolled(client);
  for (let round = 0; round < 2; round += 1) {
    const { twoFactorId } = await challenged(client, user);
    for (let code = 0; code < 5; code += 1) {
      await refused(client.twoFactorLogin({ twoFactorId, code: user.authenticator.wrongCode() }), 421);
    }
  }
  const { twoFactorId } = await challenged(client, user);
  const code = await user.authenticator.nextCode();
  await refused(client.twoFactorLogin({ twoFactorId, code }), 409);
  const [lock] = (await succeeds(client.retrieveActiveActions(user.id))).actions;
  await succeeds(client.cancelAction(lock.id, { action: { actionerUserId: user.id } }));
  await succeeds(client.twoFactorLogin({ twoFactorId, code }));
});
