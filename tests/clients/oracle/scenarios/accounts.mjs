// Signing up, in and out, and asking who is signed in.

import { cookieHeader, cookieOf, PASSWORD, signedUp } from "./people.mjs";

const FORM = "application/x-www-form-urlencoded";

/** As many characters as a password may have: 128. */
const LONG = "a longer horse, a better battery, the longest staple of all of them; and so on, until there are enough: of letters, 128 in all..";

export const accounts = {
  async "sign-up"(world) {
    const signUp = (label, fields, browser = world.browser()) =>
      browser.post(label, "/sign-up/email", { name: "Ada", email: world.newEmail(), password: PASSWORD, ...fields });
    const email = world.newEmail();
    const first = world.browser();
    await signUp("first", { email }, first);
    await first.get("first: session", "/get-session");
    await signUp("same address", { email });
    await signUp("same address in capitals", { email: email.toUpperCase() });
    await signUp("capitals", { email: world.newEmail().toUpperCase() });
    await signUp("with a picture", { image: "https://example.com/ada.png" });
    await signUp("empty name", { name: "" });
    const temporary = world.browser();
    await signUp("not to be remembered", { rememberMe: false }, temporary);
    await temporary.get("not to be remembered: session", "/get-session");
    await temporary.post("not to be remembered: sign out", "/sign-out", {});
    await signUp("to be remembered", { rememberMe: true });
    await signUp("fields of the server", { id: "mine", emailVerified: true, twoFactorEnabled: true, role: "admin" });
    await signUp("password of 7", { password: "qwxzvbn" });
    await signUp("password of 8", { password: "qwxzvbnm" });
    await signUp("password of 128", { password: LONG });
    await signUp("password of 129", { password: `${LONG}Q` });
    await signUp("empty password", { password: "" });
    await signUp("callback to a path", { callbackURL: "/welcome" });
    await signUp("callback elsewhere", { callbackURL: "https://elsewhere.example/" });
    await signUp("while signed in", {}, first);
    await first.get("while signed in: session", "/get-session");
    await world.browser().send("form", "POST", "/sign-up/email", {
      text: new URLSearchParams({ name: "Ada", email: world.newEmail(), password: PASSWORD }).toString(),
      type: FORM,
    });
    await world.script().post("script", "/sign-up/email", { name: "Ada", email: world.newEmail(), password: PASSWORD });
  },

  async "addresses"(world) {
    const addresses = {
      plus: "ada+tag@example.com",
      apostrophe: "ada.o'hara@example.com",
      underscore: "ada_l@example.com",
      "without a host": "ada@",
      "without a dot": "ada@example",
      "without at": "ada.example.com",
      "leading dot": ".ada@example.com",
      "two dots": "ada..l@example.com",
      "trailing dot": "ada.@example.com",
      "surrounding blanks": " ada@example.com ",
      quoted: '"ada"@example.com',
      "short last label": "ada@example.c",
      "number as host": "ada@127.0.0.1",
      "letters beyond ASCII": "adä@example.com",
      empty: "",
    };
    for (const [what, email] of Object.entries(addresses)) {
      await world.browser().post(`sign up, ${what}`, "/sign-up/email", { name: "Ada", email, password: PASSWORD });
      await world.browser().post(`sign in, ${what}`, "/sign-in/email", { email, password: PASSWORD });
    }
  },

  async "sign-in"(world) {
    const { email, browser } = await signedUp(world);
    const signIn = (label, fields, caller = world.browser()) =>
      caller.post(label, "/sign-in/email", { email, password: PASSWORD, ...fields });
    await browser.post("sign out", "/sign-out", {});
    await signIn("right password", {}, browser);
    await browser.get("right password: session", "/get-session");
    await signIn("again, while signed in", {}, browser);
    await signIn("address in capitals", { email: email.toUpperCase() });
    await signIn("wrong password", { password: "wrong password" });
    await signIn("empty password", { password: "" });
    await signIn("password too long to be one", { password: "x".repeat(1000) });
    await signIn("nobody's address", { email: "nobody@example.com" });
    await signIn("callback to a path", { callbackURL: "/welcome" });
    await signIn("callback to our origin", { callbackURL: `${world.baseURL}/welcome` });
    await signIn("callback elsewhere", { callbackURL: "https://elsewhere.example/" });
    await signIn("callback without a scheme", { callbackURL: "//elsewhere.example/" });
    const temporary = world.browser();
    await signIn("not to be remembered", { rememberMe: false }, temporary);
    await temporary.get("not to be remembered: session", "/get-session");
    await signIn("then to be remembered", {}, temporary);
    await world.browser().send("form", "POST", "/sign-in/email", {
      text: new URLSearchParams({ email, password: PASSWORD }).toString(),
      type: FORM,
    });
    await signIn("script", {}, world.script());
    await signIn("script with a callback", { callbackURL: "/welcome" }, world.script());
  },

  async "sign-out"(world) {
    const { email, browser, token } = await signedUp(world);
    await browser.post("with a body", "/sign-out", {});
    await browser.get("session afterwards", "/get-session");
    await browser.post("again", "/sign-out", {});
    await world.app(token).post("with the dead token", "/sign-out", {});
    const signIn = async (label) => {
      const caller = world.browser();
      const { body } = await caller.post(label, "/sign-in/email", { email, password: PASSWORD });
      return { caller, token: body.token };
    };
    await (await signIn("second")).caller.send("without a body", "POST", "/sign-out");
    await (await signIn("third")).caller.send("without a content type", "POST", "/sign-out", { text: "{}", type: null });
    const { token: fourth } = await signIn("fourth");
    await world.app(fourth).post("by token", "/sign-out", {});
    await world.app(fourth).get("by token: session afterwards", "/get-session");
    await world.script().post("nobody", "/sign-out", {});
    await world.script().send("nobody, without a body", "POST", "/sign-out");
  },

  async "get-session"(world) {
    const { browser, token } = await signedUp(world);
    const signed = decodeURIComponent(cookieOf(browser, "session_token").value);
    await browser.get("cookie", "/get-session");
    await browser.get("without the cookie cache", "/get-session?disableCookieCache=true");
    await browser.get("without refresh", "/get-session?disableRefresh=true");
    await browser.get("unknown parameter", "/get-session?unknown=1");
    await browser.get("foreign origin", "/get-session", { headers: { origin: "https://elsewhere.example" } });
    await world.app(token).get("raw token", "/get-session");
    await world.app(signed).get("signed token", "/get-session");
    await world.app(encodeURIComponent(signed)).get("encoded token", "/get-session");
    await world.app(`${token}.${"A".repeat(43)}=`).get("forged token", "/get-session");
    await world.app("A".repeat(32)).get("unknown token", "/get-session");
    await world.script().get("scheme in capitals", "/get-session", { headers: { authorization: `BEARER ${token}` } });
    await world.script().get("other scheme", "/get-session", { headers: { authorization: `Basic ${token}` } });
    await world.script().get("empty token", "/get-session", { headers: { authorization: "Bearer " } });
    await world.script().get("nobody", "/get-session");
    await browser.get("unknown token beside a cookie", "/get-session", { headers: { authorization: `Bearer ${"A".repeat(32)}` } });

    const other = await signedUp(world, "somebody else");
    const cookie = cookieHeader("session_token", cookieOf(other.browser, "session_token").value);
    await world.app(token).get("token and another's cookie", "/get-session", { headers: { cookie } });
    await other.browser.post("somebody else: sign out", "/sign-out", {});
    await world.script().get("cookie of a dead session", "/get-session", { headers: { cookie } });
    await world.script().get("health", "/ok");
  },

  async "get-session by POST"(world) {
    const { browser } = await signedUp(world);
    await browser.send("cookie", "POST", "/get-session");
    await world.script().send("nobody", "POST", "/get-session");
  },
};
