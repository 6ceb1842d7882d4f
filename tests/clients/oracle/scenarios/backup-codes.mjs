// Backup codes.

import { challenged, enrolled, PASSWORD } from "./people.mjs";

const verify = (caller, label, code, more) => caller.post(label, "/two-factor/verify-backup-code", { code, ...more });

export const backupCodes = {
  async "backup code"(world) {
    const { email, backupCodes } = await enrolled(world);
    const [first, second, third, fourth] = backupCodes;
    const browser = await challenged(world, email, "right password");
    await verify(browser, "wrong code", "aaaaa-aaaaa");
    await verify(browser, "empty code", "");
    await verify(browser, "right code", first);
    await browser.get("session", "/get-session");
    await verify(browser, "in a session", second);
    await verify(browser, "in a session, used", second);
    const next = await challenged(world, email, "next challenge");
    await verify(next, "used code", first);
    await verify(next, "other letter case", third === third.toUpperCase() ? third.toLowerCase() : third.toUpperCase());
    await verify(next, "right code of the next challenge", fourth);
    await verify(await challenged(world, email, "last challenge"), "without the dash", third.replace("-", ""));
  },

  async "backup code without a session"(world) {
    const { email, browser, backupCodes } = await enrolled(world);
    const waiting = await challenged(world, email, "right password");
    await verify(waiting, "in a challenge", backupCodes[0], { disableSession: true });
    await waiting.get("no session", "/get-session");
    await verify(waiting, "the challenge afterwards", backupCodes[1]);
    await verify(browser, "in a session", backupCodes[2], { disableSession: true });
    const next = await challenged(world, email, "next challenge");
    await verify(next, "explicitly with a session", backupCodes[3], { disableSession: false });
  },

  async "backup code, not to be remembered"(world) {
    const { email, backupCodes } = await enrolled(world);
    const browser = world.browser();
    await browser.post("right password", "/sign-in/email", { email, password: PASSWORD, rememberMe: false });
    await verify(browser, "and trusted", backupCodes[0], { trustDevice: true });
    await browser.get("session", "/get-session");
  },

  async "generate-backup-codes"(world) {
    const { email, browser, backupCodes: old } = await enrolled(world);
    const generate = (caller, label, password) => caller.post(label, "/two-factor/generate-backup-codes", { password });
    await generate(browser, "wrong password", "wrong password");
    await generate(browser, "empty password", "");
    await generate(world.script(), "nobody", PASSWORD);
    const { body } = await generate(browser, "right password", PASSWORD);
    const next = await challenged(world, email, "challenge");
    await verify(next, "old code", old[0]);
    await verify(next, "new code", body.backupCodes[0]);
  },
};
