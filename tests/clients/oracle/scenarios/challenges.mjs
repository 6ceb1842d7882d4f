// Signing in with a second factor.

import { challenged, cookieOf, enrolled, PASSWORD } from "./people.mjs";

export const challenges = {
  async "challenge"(world) {
    const { email, browser, authenticator } = await enrolled(world);
    await browser.post("sign out", "/sign-out", {});
    await challenged(world, email, "right password", browser);
    await browser.get("no session yet", "/get-session");
    await browser.get("no sessions to list", "/list-sessions");
    await browser.post("no factor to set up", "/two-factor/enable", { password: PASSWORD });
    await browser.post("no URI", "/two-factor/get-totp-uri", { password: PASSWORD });
    await browser.post("no new backup codes", "/two-factor/generate-backup-codes", { password: PASSWORD });
    await browser.post("nothing to switch off", "/two-factor/disable", { password: PASSWORD });
    await browser.post("no password to change", "/change-password", { currentPassword: PASSWORD, newPassword: "another horse" });
    const copy = world.browser();
    copy.cookies.put(cookieOf(browser, "two_factor"));
    await browser.post("wrong code", "/two-factor/verify-totp", { code: authenticator.wrongCode() });
    await browser.post("right code", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await browser.get("session", "/get-session");
    await copy.post("the same challenge again", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await copy.post("send in it", "/two-factor/send-otp", {});
    await copy.post("mailed code in it", "/two-factor/verify-otp", { code: "123456" });
    await copy.post("backup code in it", "/two-factor/verify-backup-code", { code: "aaaaa-aaaaa" });
  },

  async "challenge, mailed code"(world) {
    const { email } = await enrolled(world);
    const browser = await challenged(world, email, "right password");
    await browser.post("before one is sent", "/two-factor/verify-otp", { code: "123456" });
    await browser.send("send without a body", "POST", "/two-factor/send-otp");
    const first = await world.mailedCode(email);
    await browser.post("send with a body", "/two-factor/send-otp", { trustDevice: true });
    const second = await world.mailedCode(email);
    const wrong = ["000000", "111111", "222222"].find((code) => code !== first && code !== second);
    await browser.post("wrong code", "/two-factor/verify-otp", { code: wrong });
    await browser.post("right code", "/two-factor/verify-otp", { code: second });
    await browser.get("session", "/get-session");
    const other = await challenged(world, email, "next challenge");
    await other.post("the used code there", "/two-factor/verify-otp", { code: second });
    await other.post("in a session: send", "/two-factor/send-otp", {});
  },

  async "a mailed code in a session"(world) {
    const { email, browser } = await enrolled(world);
    await browser.post("send", "/two-factor/send-otp", {});
    await browser.post("verify", "/two-factor/verify-otp", { code: await world.mailedCode(email) });
    await browser.post("once more", "/two-factor/verify-otp", { code: await world.mailedCode(email) });
  },

  async "a code of the app twice"(world) {
    const { email, authenticator } = await enrolled(world);
    const code = await authenticator.nextCode();
    const first = await challenged(world, email, "first challenge");
    await first.post("first use", "/two-factor/verify-totp", { code });
    const second = await challenged(world, email, "second challenge");
    await second.post("second use", "/two-factor/verify-totp", { code });
  },

  async "challenge, not to be remembered"(world) {
    const { email, authenticator } = await enrolled(world);
    const browser = world.browser();
    await browser.post("right password", "/sign-in/email", { email, password: PASSWORD, rememberMe: false });
    await browser.post("right code", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await browser.get("session", "/get-session");
    await browser.post("sign out", "/sign-out", {});
  },

  async "challenge with a callback"(world) {
    const { email } = await enrolled(world);
    await world.browser().post("right password", "/sign-in/email", { email, password: PASSWORD, callbackURL: "/welcome" });
  },

  async "challenge of an app without cookies"(world) {
    const { email } = await enrolled(world);
    await world.script().post("right password", "/sign-in/email", { email, password: PASSWORD });
  },

  async "tries of a challenge"(world) {
    const { email, authenticator } = await enrolled(world);
    const browser = await challenged(world, email, "right password");
    for (let tries = 1; tries <= 5; tries += 1) {
      await browser.post(`wrong code ${tries}`, "/two-factor/verify-totp", { code: authenticator.wrongCode() });
    }
    await browser.post("sixth try", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await browser.post("afterwards", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await browser.post("send afterwards", "/two-factor/send-otp", {});
  },

  async "lock"(world) {
    const { email, authenticator, backupCodes } = await enrolled(world);
    for (const round of [1, 2]) {
      const browser = await challenged(world, email, `challenge ${round}`);
      for (let tries = 1; tries <= 5; tries += 1) {
        await browser.post(`wrong code ${tries} of ${round}`, "/two-factor/verify-totp", { code: authenticator.wrongCode() });
      }
    }
    const browser = await challenged(world, email, "challenge while it is locked");
    await browser.post("right code", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await browser.post("backup code", "/two-factor/verify-backup-code", { code: backupCodes[0] });
    await browser.post("mailed code", "/two-factor/verify-otp", { code: "123456" });
  },

  async "without a challenge"(world) {
    for (const [kind, caller] of Object.entries({ browser: world.browser(), script: world.script() })) {
      await caller.post(`${kind}: send`, "/two-factor/send-otp", {});
      await caller.post(`${kind}: code of an app`, "/two-factor/verify-totp", { code: "123456" });
      await caller.post(`${kind}: mailed code`, "/two-factor/verify-otp", { code: "123456" });
      await caller.post(`${kind}: backup code`, "/two-factor/verify-backup-code", { code: "aaaaa-aaaaa" });
    }
  },
};
