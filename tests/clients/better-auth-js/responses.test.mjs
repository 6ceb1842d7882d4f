// What the client makes of responses: times, errors, and its own picture of the session.

import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./support/browser.mjs";
import { data, enrolled, newEmail, PASSWORD, refused, signedUp } from "./support/people.mjs";
import { startServer } from "../support/server.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Checks that the client made `Date`s of the right instant out of these fields of a response's object. */
function assertTimes(object, sent, ...fields) {
  for (const field of fields) {
    assert.match(sent[field], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, `three fractional digits in ${field}`);
    assert.ok(object[field] instanceof Date, `${field} is a Date`);
    assert.equal(object[field].toISOString(), sent[field]);
  }
}

test("times arrive as dates of the right instant", async (t) => {
  const server = await startServer(t);
  const before = Date.now();
  const { user, client, backupCodes } = await enrolled(server);
  const { session, user: ada } = data(await client.getSession());
  const after = Date.now();
  const sent = JSON.parse(user.response.text);
  assertTimes(ada, sent.user, "createdAt", "updatedAt");
  assertTimes(session, sent.session, "createdAt", "updatedAt", "expiresAt");
  for (const time of [ada.createdAt, ada.updatedAt, session.createdAt, session.updatedAt]) {
    assert.ok(before <= time && time <= after, `${time.toISOString()} is now`);
  }
  assert.equal(session.expiresAt - session.createdAt, 7 * DAY_MS);

  const [listed] = data(await client.listSessions());
  assertTimes(listed, JSON.parse(user.response.text)[0], "createdAt", "updatedAt", "expiresAt");
  const verified = data(await client.twoFactor.verifyBackupCode({ code: backupCodes[0] }));
  const sentAgain = JSON.parse(user.response.text);
  assertTimes(verified.user, sentAgain.user, "createdAt", "updatedAt");
  assertTimes(verified.session, sentAgain.session, "createdAt", "expiresAt");
});

test("errors have a status, a code and a message", async (t) => {
  const server = await startServer(t);
  const { email, client } = await signedUp(server);
  const stranger = new Browser(server).client;
  const name = "Ada";

  assert.equal(
    refused(await stranger.signIn.email({ email, password: "wrong password" }), 401, "INVALID_EMAIL_OR_PASSWORD"),
    "Invalid email or password",
  );
  refused(await stranger.signIn.email({ email: newEmail(), password: PASSWORD }), 401, "INVALID_EMAIL_OR_PASSWORD");
  assert.equal(
    refused(await stranger.signIn.email({ email: "nobody", password: PASSWORD }), 400, "INVALID_EMAIL"),
    "Invalid email",
  );
  const again = await stranger.signUp.email({ name, email, password: PASSWORD });
  assert.equal(
    refused(again, 422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"),
    "User already exists. Use another email.",
  );
  assert.equal(
    refused(await stranger.signUp.email({ name, email: newEmail(), password: "short" }), 400, "PASSWORD_TOO_SHORT"),
    "Password too short",
  );
  const tooLong = "x".repeat(129);
  refused(await stranger.signUp.email({ name, email: newEmail(), password: tooLong }), 400, "PASSWORD_TOO_LONG");
  assert.equal(
    refused(await client.twoFactor.verifyTotp({}), 400, "VALIDATION_ERROR"),
    "[body.code] Invalid input: expected string, received undefined",
  );
  assert.equal(
    refused(await client.twoFactor.enable({ password: 7 }), 400, "VALIDATION_ERROR"),
    "[body.password] Invalid input: expected string, received number",
  );
  refused(await client.twoFactor.verifyTotp({ code: "123456" }), 400, "TOTP_NOT_ENABLED");
  assert.equal(refused(await stranger.listSessions(), 401, "UNAUTHORIZED"), "Unauthorized");
});

test("pages of other origins are refused", async (t) => {
  const server = await startServer(t);
  const { email, user, client } = await signedUp(server);
  user.origin = "https://evil.example";
  assert.equal(refused(await client.twoFactor.enable({ password: PASSWORD }), 403, "INVALID_ORIGIN"), "Invalid origin");
  refused(await client.signOut(), 403, "INVALID_ORIGIN");
  const elsewhere = new Browser(server, { origin: "https://evil.example" });
  refused(await elsewhere.client.signIn.email({ email, password: PASSWORD }), 403, "INVALID_ORIGIN");
  user.origin = "null";
  refused(await client.signOut(), 403, "MISSING_OR_NULL_ORIGIN");
  user.origin = server.baseURL;
  data(await client.signOut());
});

test("the client's picture of the session follows", async (t) => {
  const server = await startServer(t);
  const { user, client } = await signedUp(server);
  let picture;
  const unsubscribe = client.useSession.subscribe((value) => (picture = value));
  t.after(unsubscribe);
  const eventually = async (what, isSo) => {
    for (const limit = Date.now() + 10_000; !isSo(); await sleep(20)) {
      if (Date.now() > limit) assert.fail(`${what} within 10 s: ${JSON.stringify(picture)}`);
    }
  };

  const isRead = () => picture.data && !picture.isRefetching;
  // Each two-factor call makes it read the session, a little later.
  const andRead = async (call) => {
    await eventually("the session is read", isRead);
    const before = picture;
    data(await call());
    await eventually("the session is read again", () => picture !== before && isRead());
  };

  await andRead(() => client.twoFactor.enable({ password: PASSWORD }));
  assert.equal(picture.data.user.twoFactorEnabled, false);
  // The second factor gives the session a new token: a response to the former one would clear its cookie.
  await andRead(() => client.twoFactor.sendOtp());
  data(await client.twoFactor.verifyOtp({ code: await server.mailedCode(picture.data.user.email) }));
  await eventually("the second factor shows", () => picture.data?.user.twoFactorEnabled === true);
  data(await client.signOut());
  await eventually("nobody is signed in", () => picture.data === null && !picture.isRefetching);
  assert.equal(user.cookies.get("session_token"), undefined);
});
