// Devices that skip the second factor.

import { challenged, cookieOf, enrolled, PASSWORD } from "./people.mjs";

/** Somebody enrolled, and a browser of theirs that is trusted and signed out. */
async function trusted(world) {
  const person = await enrolled(world);
  const device = await challenged(world, person.email, "challenge");
  const code = await person.authenticator.nextCode();
  await device.post("trust", "/two-factor/verify-totp", { code, trustDevice: true });
  await device.post("trust: sign out", "/sign-out", {});
  return { ...person, device };
}

export const trustedDevices = {
  async "trusted device"(world) {
    const { email, device } = await trusted(world);
    const first = cookieOf(device, "trust_device");
    const signIn = (label, browser, fields) => browser.post(label, "/sign-in/email", { email, password: PASSWORD, ...fields });
    await signIn("wrong password", device, { password: "wrong password" });
    await signIn("right password", device);
    await device.get("session", "/get-session");
    const thief = world.browser();
    thief.cookies.put(first);
    await signIn("the first cookie again", thief);
    await device.post("sign out", "/sign-out", {});
    await signIn("once more", device, { rememberMe: false });
    const forger = world.browser();
    forger.cookies.put({ name: first.name, value: first.value.replace(/^..../, "AAAA") });
    await signIn("a forged cookie", forger);
    const other = await enrolled(world, "somebody else: ");
    await device.post("sign out again", "/sign-out", {});
    await challenged(world, other.email, "somebody else at this device", device);
  },

  async "trust by a mailed code"(world) {
    const { email } = await enrolled(world);
    const device = await challenged(world, email, "challenge");
    await device.post("send", "/two-factor/send-otp", {});
    await device.post("trust", "/two-factor/verify-otp", { code: await world.mailedCode(email), trustDevice: true });
    await device.post("sign out", "/sign-out", {});
    await challenged(world, email, "sign in", device);
  },

  async "trust ends"(world) {
    const { email, device, browser } = await trusted(world);
    await challenged(world, email, "trusted", device);
    await browser.post("change the password", "/change-password", { currentPassword: PASSWORD, newPassword: "another horse" });
    await device.post("sign out", "/sign-out", {});
    await device.post("sign in", "/sign-in/email", { email, password: "another horse" });
  },

  async "settings from a trusted device"(world) {
    const { email, device } = await trusted(world);
    await challenged(world, email, "sign in", device);
    await device.post("URI", "/two-factor/get-totp-uri", { password: PASSWORD });
    await device.post("backup codes", "/two-factor/generate-backup-codes", { password: PASSWORD });
    await device.post("password", "/change-password", { currentPassword: PASSWORD, newPassword: "another horse" });
  },

  async "disable at a trusted device"(world) {
    const { email, device, authenticator } = await trusted(world);
    await challenged(world, email, "sign in", device);
    await device.post("code", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
    await device.post("switch off", "/two-factor/disable", { password: PASSWORD });
  },

  async "trust in a session"(world) {
    const { browser, authenticator } = await enrolled(world);
    await browser.post("code", "/two-factor/verify-totp", { code: await authenticator.nextCode(), trustDevice: true });
  },
};
