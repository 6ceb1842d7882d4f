// What is sent in another form than the documented one, which we take and the real server does not, or the other way round.

import { cookieOf, enrolled, PASSWORD, signedUp } from "./people.mjs";

const FORM = "application/x-www-form-urlencoded";

/** Trusted by both servers, as an operator writes it and as browsers send it. */
export const ORIGIN_IN_UNICODE = "https://bücher.example";
const ORIGIN_IN_ASCII = "https://xn--bcher-kva.example";

const INTERNATIONALIZED = "xn--80a1acny.xn--p1ai";

export const leniency = {
  async "booleans as words"(world) {
    const { email, authenticator } = await enrolled(world);
    const password = PASSWORD;
    for (const [label, rememberMe] of Object.entries({ true: "true", false: "false", "neither": "yes", "a number": 1 })) {
      await world.browser().post(`remember in JSON: ${label}`, "/sign-in/email", { email, password, rememberMe });
      const text = new URLSearchParams({ email, password, rememberMe }).toString();
      await world.browser().send(`remember in a form: ${label}`, "POST", "/sign-in/email", { text, type: FORM });
    }
    for (const trustDevice of ["true", "false", "yes"]) {
      const browser = world.browser();
      await browser.post(`trust, ${trustDevice}: challenge`, "/sign-in/email", { email, password });
      const code = trustDevice === "yes" ? "123456" : await authenticator.nextCode();
      await browser.post(`trust: ${trustDevice}`, "/two-factor/verify-totp", { code, trustDevice });
    }
  },

  async "no session, as a word"(world) {
    const { email, backupCodes } = await enrolled(world);
    for (const [which, disableSession] of ["true", "false", "yes"].entries()) {
      const browser = world.browser();
      await browser.post(`${disableSession}: challenge`, "/sign-in/email", { email, password: PASSWORD });
      await browser.post(disableSession, "/two-factor/verify-backup-code", { code: backupCodes[which], disableSession });
    }
  },

  async "challenge by token"(world) {
    const { email, authenticator, backupCodes } = await enrolled(world);
    const script = world.script();
    const challenge = async (label) => {
      const browser = world.browser();
      const { body } = await browser.post(label, "/sign-in/email", { email, password: PASSWORD });
      // The real server has no token for it; what comes closest is the cookie's value.
      return { browser, token: body.twoFactorToken ?? decodeURIComponent(cookieOf(browser, "two_factor").value) };
    };
    const first = await challenge("first challenge");
    await script.post("code of the app", "/two-factor/verify-totp", { code: await authenticator.nextCode(), token: first.token });
    const second = await challenge("second challenge");
    await second.browser.post("send", "/two-factor/send-otp", {});
    await script.post("mailed code", "/two-factor/verify-otp", { code: await world.mailedCode(email), token: second.token });
    const third = await challenge("third challenge");
    await script.post("backup code", "/two-factor/verify-backup-code", { code: backupCodes[0], token: third.token });
    await script.post("what is no token", "/two-factor/verify-totp", { code: "123456", token: "nonsense" });
  },

  async "names of apps"(world) {
    const { email, browser } = await signedUp(world);
    const none = { origin: null };
    const cases = {
      "a trusted one": { ...none, "expo-origin": world.baseURL },
      "a trusted one, with a path": { ...none, "expo-origin": `${world.baseURL}/page` },
      "a foreign one": { ...none, "expo-origin": "myapp://" },
      "a foreign one beside our referer": { ...none, "expo-origin": "myapp://", referer: `${world.baseURL}/page` },
      "a foreign one beside our origin": { "expo-origin": "myapp://" },
      "an empty one": { ...none, "expo-origin": "" },
    };
    for (const [which, headers] of Object.entries(cases)) {
      await browser.post(`cookie, ${which}`, "/two-factor/enable", { password: "wrong password" }, { headers });
      await world.script().post(`sign in, ${which}`, "/sign-in/email", { email, password: PASSWORD }, { headers });
    }
  },

  async "origins of other scripts"(world) {
    const { email, browser } = await signedUp(world);
    for (const [which, origin] of Object.entries({ "as browsers send it": ORIGIN_IN_ASCII, "another": "https://bucher.example" })) {
      await browser.post(`cookie, ${which}`, "/two-factor/enable", { password: "wrong password" }, { headers: { origin } });
      await world.browser().post(`callback, ${which}`, "/sign-in/email", { email, password: PASSWORD, callbackURL: `${origin}/x` });
    }
    const callbackURL = `${ORIGIN_IN_UNICODE}/x`;
    await world.browser().post("callback, as it is written", "/sign-in/email", { email, password: PASSWORD, callbackURL });
  },

  async "addresses of other scripts"(world) {
    const name = "Ada";
    const email = world.newEmail().replace("example.com", INTERNATIONALIZED);
    await world.browser().post("sign up", "/sign-up/email", { name, email, password: PASSWORD });
    await world.browser().post("sign in", "/sign-in/email", { email, password: PASSWORD });
    await world.script().post("reset", "/request-password-reset", { email });
    await world.script().post("verify", "/send-verification-email", { email: `nobody@${INTERNATIONALIZED}` });
    const { browser } = await signedUp(world, "somebody else");
    await browser.post("change", "/change-email", { newEmail: `new.${email}` });
    const inUnicode = "ada@почта.рф";
    await world.browser().post("sign up, in Unicode", "/sign-up/email", { name, email: inUnicode, password: PASSWORD });
    await world.browser().post("sign in, in Unicode", "/sign-in/email", { email: inUnicode, password: PASSWORD });
  },

  async "addresses that services give"(world) {
    const email = "nobody!here@example.com";
    await world.browser().post("sign up", "/sign-up/email", { name: "Ada", email, password: PASSWORD });
    await world.browser().post("sign in", "/sign-in/email", { email, password: PASSWORD });
    await world.script().post("reset", "/request-password-reset", { email });
    await world.script().post("verify", "/send-verification-email", { email });
    const { browser } = await signedUp(world, "somebody else");
    await browser.post("change", "/change-email", { newEmail: email });
  },

  async "U+0000"(world) {
    const { browser } = await signedUp(world);
    const fields = { email: world.newEmail(), password: PASSWORD };
    await world.browser().post("name of a new account", "/sign-up/email", { name: "A\u0000da", ...fields });
    await browser.post("new name", "/update-user", { name: "A\u0000da" });
    await browser.post("issuer", "/two-factor/enable", { password: PASSWORD, issuer: "A\u0000B" });
    await browser.post("wrong code", "/two-factor/verify-totp", { code: "12\u00003456" });
  },

  /** A session is refreshed after a day; until then only the status shows that the words are taken. */
  async "parameters that say no"(world) {
    const { browser } = await signedUp(world);
    for (const value of ["false", "0", "", "true", "1"]) {
      await browser.get(`disableRefresh=${value}`, `/get-session?disableRefresh=${value}`);
      await browser.get(`disableCookieCache=${value}`, `/get-session?disableCookieCache=${value}`);
    }
  },
};
