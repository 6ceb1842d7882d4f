// Accounts of one's own, by cookie and by token: a new password, a verified or another address, name and picture, the end.

import assert from "node:assert/strict";
import test from "node:test";
import { App, Browser } from "./support/browser.mjs";
import { data, enrolled, newEmail, PASSWORD, refused, signedUp } from "./support/people.mjs";
import { startServer } from "../support/server.mjs";

const NEW = "a longer horse, a better battery";

/** Somebody who is signed in, with cookies or with a token. */
async function users(server) {
  const browser = await signedUp(server);
  const other = await signedUp(server);
  const { session } = data(await other.client.getSession());
  const app = new App(server, session.token);
  return [browser, { email: other.email, user: app, client: app.client }];
}

/** Follows a link as a click does; returns where it leads. */
async function follow(user, link) {
  const cookies = user.cookies?.header();
  const headers = {};
  if (cookies !== undefined) headers.cookie = cookies;
  if (user.token !== undefined) headers.authorization = `Bearer ${user.token}`;
  const response = await fetch(link, { redirect: "manual", headers });
  assert.equal(response.status, 302, await response.text());
  user.cookies?.take(response.headers.getSetCookie());
  return response.headers.get("location");
}

test("a new password by a mailed link", async (t) => {
  const server = await startServer(t);
  for (const { email, client } of await users(server)) {
    const { status, message } = data(await client.requestPasswordReset({ email, redirectTo: "/reset" }));
    assert.equal(status, true);
    assert.match(message, /check your email/);
    const location = await follow({}, await server.mailedLink(email));
    const token = new URL(location).searchParams.get("token");
    assert.equal(location, `${server.baseURL}/reset?token=${token}`);
    refused(await client.resetPassword({ newPassword: "short", token }), 400, "PASSWORD_TOO_SHORT");
    assert.deepEqual(data(await client.resetPassword({ newPassword: NEW, token })), { status: true });
    refused(await client.resetPassword({ newPassword: NEW, token }), 400, "INVALID_TOKEN");
    assert.equal(data(await client.getSession()), null, "sessions have ended");
    data(await new Browser(server).client.signIn.email({ email, password: NEW }));
  }
  // The older name, which clients before 1.4 have.
  const { email, client } = await signedUp(server);
  data(await client.$fetch("/forget-password", { method: "POST", body: { email, redirectTo: "/reset" } }));
  await server.mailedLink(email);
});

test("a new password leaves the second factor", async (t) => {
  const server = await startServer(t);
  const { email, authenticator } = await enrolled(server);
  const { client, user } = { client: new Browser(server).client, user: new Browser(server) };
  data(await client.requestPasswordReset({ email, redirectTo: "/reset" }));
  const token = new URL(await follow({}, await server.mailedLink(email))).searchParams.get("token");
  data(await client.resetPassword({ newPassword: NEW, token }));
  const signedIn = data(await user.client.signIn.email({ email, password: NEW }));
  assert.equal(signedIn.twoFactorRedirect, true);
  data(await user.client.twoFactor.verifyTotp({ code: await authenticator.nextCode() }));
});

test("the password is verified, and the accounts are listed", async (t) => {
  const server = await startServer(t);
  for (const { client } of await users(server)) {
    const verify = (password) => client.$fetch("/verify-password", { method: "POST", body: { password } });
    assert.deepEqual(data(await verify(PASSWORD)), { status: true });
    refused(await verify("wrong"), 400, "INVALID_PASSWORD");
    const { user } = data(await client.getSession());
    const [account, ...others] = data(await client.listAccounts());
    assert.deepEqual(others, []);
    assert.deepEqual([account.providerId, account.userId, account.scopes], ["credential", user.id, []]);
  }
});

test("the address is verified by a mailed link", async (t) => {
  const server = await startServer(t);
  for (const { email, user, client } of await users(server)) {
    assert.deepEqual(data(await client.sendVerificationEmail({ email, callbackURL: "/welcome" })), { status: true });
    const link = await server.mailedLink(email);
    assert.equal(await follow(user, link), "/welcome");
    assert.equal(data(await client.getSession()).user.emailVerified, true);
    const token = new URL(link).searchParams.get("token");
    refused(await client.verifyEmail({ query: { token } }), 401, "INVALID_TOKEN");
    refused(await client.sendVerificationEmail({ email }), 400, "EMAIL_ALREADY_VERIFIED");
  }
  const { email, client } = await signedUp(server);
  data(await client.sendVerificationEmail({ email }));
  const token = new URL(await server.mailedLink(email)).searchParams.get("token");
  const { user, ...verified } = data(await client.verifyEmail({ query: { token } }));
  assert.deepEqual(verified, { status: true });
  // The real server sends null.
  assert.deepEqual(JSON.parse(JSON.stringify(user)), JSON.parse(JSON.stringify(data(await client.getSession()).user)));
  assert.deepEqual([user.email, user.emailVerified], [email, true]);
});

test("another address is proved first, and the old one has a way back", async (t) => {
  const server = await startServer(t);
  for (const { email, user, client } of await users(server)) {
    data(await client.sendVerificationEmail({ email, callbackURL: "/welcome" }));
    await follow(user, await server.mailedLink(email));
    const next = newEmail();
    assert.deepEqual(data(await client.changeEmail({ newEmail: next, callbackURL: "/settings" })), { status: true });
    assert.equal(data(await client.getSession()).user.email, email);
    assert.equal(await follow(user, await server.mailedLink(next)), "/settings");
    const { email: shown, emailVerified } = data(await client.getSession()).user;
    assert.deepEqual([shown, emailVerified], [next, true]);
    await follow({}, await server.mailedLink(email, 2));
    assert.equal(data(await client.getSession()), null, "everything has ended");
  }
});

test("name and picture are updated, and sessions have nothing to update", async (t) => {
  const server = await startServer(t);
  for (const { client } of await users(server)) {
    assert.deepEqual(data(await client.updateUser({ name: "Countess", image: "https://example.com/a.png" })), { status: true });
    const { name, image } = data(await client.getSession()).user;
    assert.deepEqual([name, image], ["Countess", "https://example.com/a.png"]);
    data(await client.updateUser({ image: null }));
    assert.equal(data(await client.getSession()).user.image, null);
    refused(await client.updateUser({ email: "x@example.com" }), 400, "EMAIL_CAN_NOT_BE_UPDATED");
    refused(await client.$fetch("/update-session", { method: "POST", body: { theme: "dark" } }), 400, "NO_FIELDS_TO_UPDATE");
  }
});

test("an account is deleted by its password or by a mailed link", async (t) => {
  const server = await startServer(t);
  for (const { email, client } of await users(server)) {
    refused(await client.deleteUser({ password: "wrong" }), 400, "INVALID_PASSWORD");
    assert.deepEqual(data(await client.deleteUser({ password: PASSWORD })), { success: true, message: "User deleted" });
    assert.equal(data(await client.getSession()), null);
    refused(await new Browser(server).client.signIn.email({ email, password: PASSWORD }), 401, "INVALID_EMAIL_OR_PASSWORD");
  }
  for (const { email, user, client } of await users(server)) {
    const sent = data(await client.deleteUser({ callbackURL: "/goodbye" }));
    assert.deepEqual(sent, { success: true, message: "Verification email sent" });
    assert.equal(await follow(user, await server.mailedLink(email)), "/goodbye");
    assert.equal(data(await client.getSession()), null);
  }
});

test("there is a page for errors", async (t) => {
  const server = await startServer(t);
  const { client } = await signedUp(server);
  const { data: page } = await client.$fetch("/error?error=INVALID_TOKEN", { method: "GET" });
  assert.match(typeof page === "string" ? page : await page.text(), /INVALID_TOKEN/);
});
