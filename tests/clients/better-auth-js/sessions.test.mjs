// Sessions and the password.

import assert from "node:assert/strict";
import test from "node:test";
import { App, Browser } from "./support/browser.mjs";
import { data, newEmail, PASSWORD, refused, signedUp } from "./support/people.mjs";
import { startServer } from "../support/server.mjs";

async function signedIn(server, email, password = PASSWORD) {
  const user = new Browser(server);
  data(await user.client.signIn.email({ email, password }));
  return { user, client: user.client };
}

async function isSignedIn({ client }) {
  return data(await client.getSession()) !== null;
}

test("sign up and sign in without a second factor", async (t) => {
  const server = await startServer(t);
  const user = new Browser(server);
  const email = newEmail();
  const { token, user: ada } = data(
    await user.client.signUp.email({ name: "Ada Lovelace", email: email.toUpperCase(), password: PASSWORD }),
  );
  const { id, createdAt, updatedAt, ...rest } = ada;
  assert.deepEqual(rest, { name: "Ada Lovelace", email, emailVerified: false, image: null, twoFactorEnabled: false });
  assert.match(id, /^[A-Za-z0-9]{32}$/);
  assert.match(token, /^[A-Za-z0-9]{32}$/);

  const current = data(await user.client.getSession());
  assert.deepEqual(current.user, ada);
  assert.equal(current.session.token, token);
  assert.equal(current.session.userId, id);

  data(await user.client.signOut());
  assert.equal(await isSignedIn(user), false);
  const again = data(await user.client.signIn.email({ email, password: PASSWORD }));
  assert.equal(again.redirect, false);
  assert.deepEqual(again.user, ada);
  assert.notEqual(again.token, token);
});

test("sessions are listed and ended one by one", async (t) => {
  const server = await startServer(t);
  const here = await signedUp(server);
  const there = await signedIn(server, here.email);
  const stranger = await signedUp(server);

  const own = data(await here.client.getSession()).session;
  const sessions = data(await here.client.listSessions());
  assert.equal(sessions.length, 2);
  assert.deepEqual(sessions.find((session) => session.id === own.id), own);
  const other = sessions.find((session) => session.id !== own.id);
  const { session: theirs } = data(await there.client.getSession());
  assert.deepEqual({ ...other, token: undefined }, { ...theirs, token: undefined });
  assert.equal(data(await new App(server, other.token).client.getSession()), null, "the handle opens nothing");

  assert.deepEqual(data(await stranger.client.revokeSession({ token: other.token })), { status: true });
  assert.ok(await isSignedIn(there), "nobody ends sessions of others");
  assert.deepEqual(data(await here.client.revokeSession({ token: other.token })), { status: true });
  assert.equal(await isSignedIn(there), false);
  assert.equal(there.user.cookies.get("session_token"), undefined, "the cookie of a dead session is cleared");
  assert.ok(await isSignedIn(here));
  assert.equal(data(await here.client.listSessions()).length, 1);
});

test("all other sessions end, then all", async (t) => {
  const server = await startServer(t);
  const here = await signedUp(server);
  const there = await signedIn(server, here.email);
  assert.deepEqual(data(await here.client.revokeOtherSessions()), { status: true });
  assert.ok(await isSignedIn(here));
  assert.equal(await isSignedIn(there), false);

  const third = await signedIn(server, here.email);
  assert.deepEqual(data(await here.client.revokeSessions()), { status: true });
  assert.equal(await isSignedIn(here), false);
  assert.equal(await isSignedIn(third), false);
  refused(await here.client.listSessions(), 401, "UNAUTHORIZED");
});

test("the password is changed", async (t) => {
  const server = await startServer(t);
  const here = await signedUp(server);
  const there = await signedIn(server, here.email);
  const second = "a longer horse, a better battery";
  const third = "the longest horse of them all";

  const wrong = await here.client.changePassword({ currentPassword: "wrong password", newPassword: second });
  refused(wrong, 400, "INVALID_PASSWORD");
  const short = await here.client.changePassword({ currentPassword: PASSWORD, newPassword: "short" });
  refused(short, 400, "PASSWORD_TOO_SHORT");

  const changed = data(await here.client.changePassword({ currentPassword: PASSWORD, newPassword: second }));
  assert.equal(changed.token, null);
  assert.equal(changed.user.email, here.email);
  assert.ok(await isSignedIn(there), "sessions go on");
  refused(
    await new Browser(server).client.signIn.email({ email: here.email, password: PASSWORD }),
    401,
    "INVALID_EMAIL_OR_PASSWORD",
  );
  await signedIn(server, here.email, second);

  const before = data(await here.client.getSession()).session.token;
  const again = data(
    await here.client.changePassword({ currentPassword: second, newPassword: third, revokeOtherSessions: true }),
  );
  assert.notEqual(again.token, before);
  assert.equal(data(await here.client.getSession()).session.token, again.token);
  assert.equal(await isSignedIn(there), false);
  assert.equal(data(await here.client.listSessions()).length, 1);
});

test("a session that is not to be remembered ends with the browser", async (t) => {
  const server = await startServer(t);
  const { email } = await signedUp(server);
  const user = new Browser(server);
  data(await user.client.signIn.email({ email, password: PASSWORD, rememberMe: false }));
  assert.equal(user.cookies.get("session_token").maxAge, undefined);
  assert.equal(user.cookies.get("dont_remember").maxAge, undefined);
  data(await user.client.signOut());
  assert.equal(user.cookies.header(), undefined, "nothing is left");
});
