// Bodies that are not what an operation takes.

import { enrolled, PASSWORD, signedUp } from "./people.mjs";

/** For each operation, a body that passes validation and does nothing, and how its fields may be wrong. */
const OPERATIONS = {
  "/sign-up/email": { right: { name: "Ada", email: "nobody at all", password: PASSWORD }, texts: ["name", "email", "password"], optional: { image: 5, callbackURL: 5, rememberMe: "yes" } },
  "/sign-in/email": { right: { email: "nobody@example.com", password: PASSWORD }, texts: ["email", "password"], optional: { callbackURL: 5, rememberMe: 1 } },
  "/change-password": { right: { currentPassword: "wrong password", newPassword: PASSWORD }, texts: ["currentPassword", "newPassword"], optional: { revokeOtherSessions: "yes" } },
  "/revoke-session": { right: { token: "unknown" }, texts: ["token"], optional: {} },
  "/two-factor/enable": { right: { password: "wrong password" }, texts: ["password"], optional: { issuer: 5, method: "sms" } },
  "/two-factor/get-totp-uri": { right: { password: "wrong password" }, texts: ["password"], optional: {} },
  "/two-factor/generate-backup-codes": { right: { password: "wrong password" }, texts: ["password"], optional: {} },
  "/two-factor/disable": { right: { password: "wrong password" }, texts: ["password"], optional: {} },
  "/two-factor/verify-totp": { right: { code: "no code" }, texts: ["code"], optional: { trustDevice: "yes" } },
  "/two-factor/verify-otp": { right: { code: "no code" }, texts: ["code"], optional: { trustDevice: 1 } },
  "/two-factor/verify-backup-code": { right: { code: "no code" }, texts: ["code"], optional: { trustDevice: null, disableSession: "yes" } },
  "/two-factor/send-otp": { right: {}, texts: [], optional: { trustDevice: "yes" } },
};

const WRONG_VALUES = { number: 5, null: null, array: [], object: {}, boolean: true };

const WHOLE_BODIES = {
  "no body": {},
  "empty body": { text: "" },
  "not JSON": { text: "{" },
  "null for a body": { text: "null" },
  "array for a body": { text: "[]" },
  "text for a body": { text: '"text"' },
  "number for a body": { text: "5" },
  "same name twice": { text: '{"unknown":1,"unknown":2}' },
};

export const validation = Object.fromEntries(
  Object.entries(OPERATIONS).map(([path, { right, texts, optional }]) => [
    `bodies of ${path}`,
    async (world) => {
      const { browser } = await signedUp(world);
      for (const name of texts) {
        const { [name]: _, ...rest } = right;
        await browser.post(`without ${name}`, path, rest);
        for (const [kind, value] of Object.entries(WRONG_VALUES)) await browser.post(`${kind} as ${name}`, path, { ...right, [name]: value });
      }
      for (const [name, value] of Object.entries(optional)) {
        await browser.post(`${JSON.stringify(value)} as ${name}`, path, { ...right, [name]: value });
        await browser.post(`null as ${name} too`, path, { ...right, [name]: null });
      }
      for (const [label, body] of Object.entries(WHOLE_BODIES)) await browser.send(label, "POST", path, body);
      await browser.post("unknown field", path, { ...right, unknown: { deep: [1] } });
      await browser.send("byte order mark", "POST", path, { text: `\ufeff${JSON.stringify(right)}` });
      if (texts.length > 0) await world.script().post("nobody, and a wrong body", path, {});
    },
  ]),
);

validation["codes with white space"] = async (world) => {
  const { browser, authenticator, backupCodes } = await enrolled(world);
  await browser.post("none", "/two-factor/verify-totp", { code: await authenticator.nextCode() });
  await browser.post("in a backup code", "/two-factor/verify-backup-code", { code: ` ${backupCodes[0]} ` });
  await browser.post("in a code", "/two-factor/verify-totp", { code: ` ${await authenticator.nextCode()}\n` });
};
