// Setting up, showing and switching off a second factor.

import { Authenticator } from "../../support/authenticator.mjs";
import { challenged, enrolled, PASSWORD, signedUp } from "./people.mjs";

const password = PASSWORD;

export const enrolment = {
  async "enable"(world) {
    const { browser, token } = await signedUp(world);
    await world.script().post("nobody", "/two-factor/enable", { password });
    await browser.post("wrong password", "/two-factor/enable", { password: "wrong password" });
    await browser.post("empty password", "/two-factor/enable", { password: "" });
    await browser.post("URI before", "/two-factor/get-totp-uri", { password });
    await browser.post("code before", "/two-factor/verify-totp", { code: "123456" });
    await browser.post("backup code before", "/two-factor/verify-backup-code", { code: "aaaaa-aaaaa" });
    await browser.post("new backup codes before", "/two-factor/generate-backup-codes", { password });
    await browser.post("issuer", "/two-factor/enable", { password, issuer: "Example" });
    await browser.post("issuer with blanks", "/two-factor/enable", { password, issuer: "Example Shop & Co" });
    await browser.post("issuer with a plus", "/two-factor/enable", { password, issuer: "A+B" });
    await browser.post("empty issuer", "/two-factor/enable", { password, issuer: "" });
    await browser.post("issuer with a colon", "/two-factor/enable", { password, issuer: "A:B" });
    const first = await browser.post("first", "/two-factor/enable", { password });
    const second = await world.app(token).post("second, by token", "/two-factor/enable", { password });
    await browser.get("pending: session", "/get-session");
    await browser.post("pending: URI", "/two-factor/get-totp-uri", { password });
    await browser.post("pending: new backup codes", "/two-factor/generate-backup-codes", { password });
    const [stale, authenticator] = [first, second].map(({ body }) => new Authenticator(body.totpURI));
    await browser.post("code of the first", "/two-factor/verify-totp", { code: await stale.nextCode() });
    await browser.post("wrong code", "/two-factor/verify-totp", { code: authenticator.wrongCode() });
    await browser.post("short code", "/two-factor/verify-totp", { code: "12345" });
    await browser.post("letters", "/two-factor/verify-totp", { code: "abcdef" });
    await browser.post("empty code", "/two-factor/verify-totp", { code: "" });
    await browser.post("code of the second", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await browser.get("on: session", "/get-session");
    await world.app(token).get("on: the session of before", "/get-session");
    await browser.post("on: URI", "/two-factor/get-totp-uri", { password });
    await browser.post("on: URI, wrong password", "/two-factor/get-totp-uri", { password: "wrong password" });
    await browser.post("on: another code", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await world.script().post("nobody: URI", "/two-factor/get-totp-uri", { password });
  },

  async "enable with a method"(world) {
    const { browser } = await signedUp(world);
    await browser.post("app", "/two-factor/enable", { password, method: "totp" });
    await browser.post("unknown method", "/two-factor/enable", { password, method: "sms" });
    await browser.post("number", "/two-factor/enable", { password, method: 5 });
    await browser.post("null", "/two-factor/enable", { password, method: null });
    await browser.post("mail, wrong password", "/two-factor/enable", { password: "wrong password", method: "otp" });
  },

  async "mail as the only factor"(world) {
    const { email, browser, token } = await signedUp(world);
    await browser.post("set up", "/two-factor/enable", { password, method: "otp" });
    await browser.get("session", "/get-session");
    await world.app(token).get("the session of before", "/get-session");
    const elsewhere = await challenged(world, email, "sign in");
    await elsewhere.post("no app", "/two-factor/verify-totp", { code: "123456" });
    await elsewhere.post("send", "/two-factor/send-otp", {});
    await elsewhere.post("code", "/two-factor/verify-otp", { code: await world.mailedCode(email) });
    await elsewhere.get("session of the code", "/get-session");
    await elsewhere.post("switch off", "/two-factor/disable", { password });
    await challenged(world, email, "sign in afterwards");
  },

  async "mail beside an app"(world) {
    const { email, browser } = await enrolled(world);
    await browser.post("set up mail", "/two-factor/enable", { password, method: "otp" });
    await challenged(world, email, "sign in");
  },

  async "enable while it is on"(world) {
    const { browser } = await enrolled(world);
    await browser.post("wrong password", "/two-factor/enable", { password: "wrong password" });
    await browser.post("again", "/two-factor/enable", { password });
  },

  async "confirm by mail"(world) {
    const { email, browser } = await signedUp(world);
    await browser.post("set up", "/two-factor/enable", { password });
    await browser.post("before one is sent", "/two-factor/verify-otp", { code: "123456" });
    await browser.post("send", "/two-factor/send-otp", {});
    await browser.post("confirm", "/two-factor/verify-otp", { code: await world.mailedCode(email) });
    await browser.get("session", "/get-session");
  },

  async "mail without setting up"(world) {
    const { email, browser } = await signedUp(world);
    await browser.post("send", "/two-factor/send-otp", {});
    await browser.post("verify", "/two-factor/verify-otp", { code: (await world.mailedCode(email)) ?? "123456" });
    await browser.get("session", "/get-session");
  },

  async "disable"(world) {
    const { email, browser, authenticator, backupCodes } = await enrolled(world);
    const trusting = await challenged(world, email, "trusted device");
    await trusting.post("trust", "/two-factor/verify-backup-code", { code: backupCodes[0], trustDevice: true });
    const waiting = await challenged(world, email, "open challenge");
    await browser.post("wrong password", "/two-factor/disable", { password: "wrong password" });
    await browser.post("empty password", "/two-factor/disable", { password: "" });
    await world.script().post("nobody", "/two-factor/disable", { password });
    await browser.post("right password", "/two-factor/disable", { password });
    await browser.get("session", "/get-session");
    await browser.post("code afterwards", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await browser.post("backup code afterwards", "/two-factor/verify-backup-code", { code: backupCodes[1] });
    await browser.post("URI afterwards", "/two-factor/get-totp-uri", { password });
    await browser.post("backup codes afterwards", "/two-factor/generate-backup-codes", { password });
    await waiting.post("code in the open challenge", "/two-factor/verify-totp", { code: authenticator.wrongCode() });
    await browser.post("again", "/two-factor/disable", { password });
    await world.browser().post("sign in", "/sign-in/email", { email, password });
    const never = await signedUp(world, "somebody else");
    await never.browser.post("never on", "/two-factor/disable", { password });
  },
};
