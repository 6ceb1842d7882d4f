// Sessions, and the password.

import { PASSWORD, signedUp } from "./people.mjs";

/** Another session of an account. */
async function signedIn(world, email, as, password = PASSWORD) {
  const browser = world.browser();
  const { body } = await browser.post(as, "/sign-in/email", { email, password });
  return { browser, token: body.token };
}

export const sessions = {
  async "list-sessions"(world) {
    const { email, browser, token } = await signedUp(world);
    await browser.get("one", "/list-sessions");
    await world.app(token).get("by token", "/list-sessions");
    await world.script().get("nobody", "/list-sessions");
    await signedIn(world, email, "second");
    // What differs between the sessions of an account is when they began, and that is not in the response's order.
    const { body } = await browser.get("two", "/list-sessions");
    if (body.length !== 2) throw new Error(`two sessions, not ${body.length}`);
  },

  async "revoke-session"(world) {
    const { email, browser, token } = await signedUp(world);
    const stranger = await signedUp(world, "stranger");
    const other = await signedIn(world, email, "second");
    const { body: listed } = await browser.get("two", "/list-sessions");
    const { body: mine } = await browser.get("own", "/get-session");
    const theirs = listed.find(({ id }) => id !== mine.session.id);
    await stranger.browser.post("a stranger's", "/revoke-session", { token: theirs.token });
    await other.browser.get("still there", "/get-session");
    await browser.post("unknown", "/revoke-session", { token: "A".repeat(32) });
    await browser.post("empty", "/revoke-session", { token: "" });
    await browser.post("another of one's own", "/revoke-session", { token: theirs.token });
    await other.browser.get("gone", "/get-session");
    await other.browser.get("and its cookie", "/get-session");
    await browser.post("once more", "/revoke-session", { token: theirs.token });
    await browser.post("this one", "/revoke-session", { token });
    await browser.get("this one is gone", "/get-session");
    await world.script().post("nobody", "/revoke-session", { token });
  },

  async "revoke-other-sessions"(world) {
    const { email, browser } = await signedUp(world);
    const other = await signedIn(world, email, "second");
    await browser.post("others", "/revoke-other-sessions", {});
    await browser.get("this one", "/get-session");
    await other.browser.get("the other", "/get-session");
    await browser.send("without a body", "POST", "/revoke-other-sessions");
    await world.script().post("nobody", "/revoke-other-sessions", {});
    const third = await signedIn(world, email, "third");
    await world.app(third.token).post("by token", "/revoke-other-sessions", {});
    await browser.get("ended by token", "/get-session");
  },

  async "revoke-sessions"(world) {
    const { email, browser } = await signedUp(world);
    const other = await signedIn(world, email, "second");
    await browser.post("all", "/revoke-sessions", {});
    await browser.get("this one", "/get-session");
    await other.browser.get("the other", "/get-session");
    await browser.post("again", "/revoke-sessions", {});
    await world.script().send("nobody", "POST", "/revoke-sessions");
  },

  async "change-password"(world) {
    const { email, browser, token } = await signedUp(world);
    const other = await signedIn(world, email, "second");
    const change = (label, fields, caller = browser) =>
      caller.post(label, "/change-password", { currentPassword: PASSWORD, newPassword: "another horse, another battery", ...fields });
    await change("wrong password", { currentPassword: "wrong password" });
    await change("empty password", { currentPassword: "" });
    await change("too short", { newPassword: "qwxzvbn" });
    await change("too long", { newPassword: "Qx7 ".repeat(33) });
    await change("wrong and too short", { currentPassword: "wrong password", newPassword: "short" });
    await change("nobody", {}, world.script());
    await change("right", {});
    await other.browser.get("the other session", "/get-session");
    await world.browser().post("old password", "/sign-in/email", { email, password: PASSWORD });
    const renewed = { currentPassword: "another horse, another battery" };
    await change("others stay", { ...renewed, newPassword: PASSWORD, revokeOtherSessions: false });
    await change("others end", { revokeOtherSessions: true });
    await browser.get("this session", "/get-session");
    await other.browser.get("the other session is over", "/get-session");
    await world.app(token).get("the token of before", "/get-session");
    const third = await signedIn(world, email, "third", renewed.currentPassword);
    await change("by token", { ...renewed, newPassword: PASSWORD, revokeOtherSessions: true }, world.app(third.token));
  },
};
