// Accounts of one's own: a new password, a verified or another address, name and picture, the end.

import { PASSWORD, signedUp } from "./people.mjs";

const NEW = "a longer horse, a better battery";
const ODD_PAGES = {
  "elsewhere": "https://elsewhere.example/",
  "without a scheme": "//elsewhere.example/",
  "with a backslash": "/\\elsewhere.example/",
  "a script": "javascript:alert(1)",
  "with a backslash in code": "/%5celsewhere.example",
};
const encode = encodeURIComponent;

export const ownAccount = {
  async "password reset"(world) {
    const { email, browser } = await signedUp(world);
    const script = world.script();
    const ask = (label, fields) => script.post(label, "/request-password-reset", { email, ...fields });
    await ask("without a page", {});
    await ask("with a page", { redirectTo: "/reset" });
    await ask("capitals", { email: email.toUpperCase(), redirectTo: "/reset" });
    await ask("nobody's address", { email: "nobody@example.com", redirectTo: "/reset" });
    await ask("empty page", { redirectTo: "" });
    await ask("page that is null", { redirectTo: null });
    await ask("page that is a number", { redirectTo: 7 });
    for (const [what, page] of Object.entries(ODD_PAGES)) await ask(`page ${what}`, { redirectTo: page });
    await ask("no address", { email: undefined });
    await ask("odd address", { email: "ada" });
    await ask("address that is a number", { email: 7 });
    await script.send("no body", "POST", "/request-password-reset");
    await script.post("a list", "/request-password-reset", []);
    await ask("our own page", { redirectTo: `${world.baseURL}/reset?x=1` });
    const { path, token } = await world.mailedLink(email, 5);
    await script.get("follow", path);
    await script.get("follow again", path);
    await script.get("follow to a path", `/reset-password/${token}?callbackURL=${encode("/a?b=1")}`);
    await script.get("follow without a page", `/reset-password/${token}`);
    await script.get("follow with an empty page", `/reset-password/${token}?callbackURL=`);
    await script.get("follow what is no token", `/reset-password/nonsense?callbackURL=${encode("/reset")}`);
    for (const [what, page] of Object.entries(ODD_PAGES)) {
      await script.get(`follow to a page ${what}`, `/reset-password/${token}?callbackURL=${encode(page)}`);
    }
    const reset = (label, fields, query = "") => script.post(label, `/reset-password${query}`, { newPassword: NEW, ...fields });
    await reset("no token", {});
    await reset("empty token", { token: "" });
    await reset("what is no token", { token: "nonsense" });
    await reset("token that is a number", { token: 7 });
    await reset("no password", { newPassword: undefined, token });
    await reset("short password", { newPassword: "short", token });
    await reset("long password", { newPassword: "x".repeat(129), token });
    await reset("short password, no token", { newPassword: "short" });
    await reset("reset", { token });
    await reset("reset again", { token });
    await script.get("follow a used one", path);
    await browser.get("the session of before", "/get-session");
    await world.browser().post("old password", "/sign-in/email", { email, password: PASSWORD });
    const signedIn = world.browser();
    await signedIn.post("new password", "/sign-in/email", { email, password: NEW });
    await ask("once more", { redirectTo: "/reset" });
    const second = await world.mailedLink(email, 6);
    await reset("by query", {}, `?token=${second.token}`);
  },

  async "the older name of a password reset"(world) {
    const { email } = await signedUp(world);
    await world.script().post("ask", "/forget-password", { email, redirectTo: "/reset" });
  },

  async "verify password"(world) {
    const { browser, token } = await signedUp(world);
    const verify = (label, body, caller = browser) => caller.post(label, "/verify-password", body);
    await verify("right", { password: PASSWORD });
    await verify("right, by token", { password: PASSWORD }, world.app(token));
    await verify("wrong", { password: "wrong password" });
    await verify("empty", { password: "" });
    await verify("none", {});
    await verify("a number", { password: 7 });
    await browser.send("no body", "POST", "/verify-password");
    await verify("nobody", { password: PASSWORD }, world.script());
  },

  async "list accounts"(world) {
    const { browser, token } = await signedUp(world);
    await browser.get("list", "/list-accounts");
    await world.app(token).get("by token", "/list-accounts");
    await world.script().get("nobody", "/list-accounts");
  },

  async "verify address"(world) {
    const { email, browser, token: session } = await signedUp(world);
    const script = world.script();
    const ask = (label, fields, caller = script) => caller.post(label, "/send-verification-email", { email, ...fields });
    await ask("nobody's address", { email: "nobody@example.com" });
    await ask("odd address", { email: "ada" });
    await ask("no address", { email: undefined });
    await ask("without a page", {});
    for (const [what, page] of Object.entries(ODD_PAGES)) await ask(`page ${what}`, { callbackURL: page });
    await ask("page that is a number", { callbackURL: 7 });
    await ask("somebody else's, in a session", { email: "nobody@example.com" }, browser);
    await ask("in a session", {}, browser);
    await ask("in a session, by token", { callbackURL: "/welcome" }, world.app(session));
    await ask("without a session", { email: email.toUpperCase(), callbackURL: "/welcome?x=1" });
    const { path, token } = await world.mailedLink(email, 4);
    await script.get("follow without a token", "/verify-email");
    await script.get("follow what is no token", "/verify-email?token=nonsense");
    await script.get("follow what is no token, to a page", `/verify-email?token=nonsense&callbackURL=${encode("/a?b=1")}`);
    await script.get("follow an empty token", `/verify-email?token=&callbackURL=${encode("/a")}`);
    for (const [what, page] of Object.entries(ODD_PAGES)) {
      await script.get(`follow to a page ${what}`, `/verify-email?token=${token}&callbackURL=${encode(page)}`);
    }
    await script.get("follow", path);
    await browser.get("session afterwards", "/get-session");
    await script.get("follow again", `/verify-email?token=${token}`);
    await ask("when it is verified, in a session", {}, browser);
    await ask("when it is verified", {});
    const other = await signedUp(world, "somebody else");
    await ask("somebody else's address", { email: other.email });
    const { token: next } = await world.mailedLink(other.email);
    await script.get("follow without a page", `/verify-email?token=${next}`);
  },

  async "change address"(world) {
    const { email, browser } = await signedUp(world);
    const other = await signedUp(world, "sign somebody else up");
    const change = (label, fields, caller = browser) => caller.post(label, "/change-email", { newEmail: world.newEmail(), ...fields });
    await change("the same", { newEmail: email });
    await change("the same in capitals", { newEmail: email.toUpperCase() });
    await change("odd address", { newEmail: "ada" });
    await change("no address", { newEmail: undefined });
    await change("a number", { newEmail: 7 });
    await change("somebody else's", { newEmail: other.email });
    for (const [what, page] of Object.entries(ODD_PAGES)) await change(`page ${what}`, { callbackURL: page });
    await change("nobody", {}, world.script());
    const next = `new.${email}`;
    await change("to a new one", { newEmail: next.toUpperCase(), callbackURL: "/settings" });
    await browser.get("session before it is followed", "/get-session");
    const { path, token } = await world.mailedLink(next);
    await other.browser.get("follow as somebody else", `/verify-email?token=${token}`);
    await other.browser.get("follow as somebody else, to a page", path);
    await browser.get("follow", `/verify-email?token=${token}`);
    await browser.get("follow again", `/verify-email?token=${token}`);
    await browser.get("follow again, to a page", path);
    await browser.get("session afterwards", "/get-session");
    await world.browser().post("sign in with the old one", "/sign-in/email", { email, password: PASSWORD });
    await world.browser().post("sign in with the new one", "/sign-in/email", { email: next, password: PASSWORD });
  },

  async "update user"(world) {
    const { browser, token } = await signedUp(world);
    const update = (label, body, caller = browser) => caller.post(label, "/update-user", body);
    await update("name", { name: "Countess" });
    await update("picture", { image: "https://example.com/ada.png" });
    await browser.get("session with both", "/get-session");
    await update("no picture", { image: null });
    await update("empty name", { name: "" });
    await browser.get("session without", "/get-session");
    await update("by token", { name: "Ada" }, world.app(token));
    await update("nothing", {});
    await update("something else", { theme: "dark" });
    await update("fields of the server", { id: "mine", name: "Ada", createdAt: "now" });
    await update("verified", { emailVerified: true });
    await update("address", { email: "other@example.com" });
    await update("address and name", { email: "other@example.com", name: "Ada" });
    await update("empty address", { email: "", name: "Ada" });
    await update("second factor on", { twoFactorEnabled: true });
    await update("second factor on, and a name", { twoFactorEnabled: true, name: "Ada" });
    await update("second factor off", { twoFactorEnabled: false, name: "Ada" });
    await update("a list", []);
    await update("a name that is a number", { name: 7 });
    await browser.send("no body", "POST", "/update-user");
    await update("nobody", { name: "Ada" }, world.script());
  },

  async "update session"(world) {
    const { browser } = await signedUp(world);
    const update = (label, body, caller = browser) => caller.post(label, "/update-session", body);
    await update("nothing", {});
    await update("something", { theme: "dark" });
    await update("fields of the server", { ipAddress: "192.0.2.1", token: "mine", expiresAt: "never" });
    await update("a list", []);
    await browser.send("no body", "POST", "/update-session");
    await update("nobody", { theme: "dark" }, world.script());
  },

  async "delete user"(world) {
    const { email, browser } = await signedUp(world);
    const remove = (label, body, caller = browser) => caller.post(label, "/delete-user", body);
    await remove("wrong password", { password: "wrong password" });
    await remove("password that is a number", { password: 7 });
    await remove("what is no token", { token: "nonsense" });
    await remove("token that is a number", { token: 7 });
    for (const [what, page] of Object.entries(ODD_PAGES)) await remove(`page ${what}`, { callbackURL: page });
    await browser.send("no body", "POST", "/delete-user");
    await remove("nobody", { password: PASSWORD }, world.script());
    await world.script().get("follow, nobody", "/delete-user/callback?token=nonsense");
    await browser.get("follow what is no token", "/delete-user/callback?token=nonsense");
    await browser.get("follow without a token", "/delete-user/callback");
    await browser.get("follow to a page elsewhere", `/delete-user/callback?token=nonsense&callbackURL=${encode("//elsewhere.example")}`);
    await remove("right password", { password: PASSWORD });
    await browser.get("session afterwards", "/get-session");
    await world.browser().post("sign in", "/sign-in/email", { email, password: PASSWORD });
    await world.browser().post("sign up again", "/sign-up/email", { name: "Ada", email, password: PASSWORD });
    const another = await signedUp(world, "sign another up");
    await remove("without a password", {}, another.browser);
  },

  async "error page"(world) {
    for (const query of ["", "?error=INVALID_TOKEN", "?error=a%20b", "?error=X&error_description=%3Cb%3E"]) {
      const { status, headers } = await world.script().get(`page ${query}`, `/error${query}`);
      if (status !== 200 || headers["content-type"] === undefined) throw new Error(`/error${query} is ${status}`);
    }
  },
};
