// A form for the second factor: of a sign-in, or of a session that proves it again.

import { auth, data } from "./client.js";
import { button, check, element, field, form } from "./elements.js";

/** The ways to prove a second factor, and what each asks for. */
const WAYS = {
  totp: {
    label: "Code from your authenticator app",
    input: { inputMode: "numeric", autocomplete: "one-time-code" },
    verify: (values) => auth.twoFactor.verifyTotp(values),
  },
  otp: {
    label: "Code from the mail that was sent to you",
    input: { inputMode: "numeric", autocomplete: "one-time-code" },
    verify: (values) => auth.twoFactor.verifyOtp(values),
  },
  backup: {
    label: "One of your backup codes",
    input: { autocomplete: "off" },
    verify: (values) => auth.twoFactor.verifyBackupCode(values),
  },
};

/**
 * A form for a code by one of `methods`, as the server names them. `done` is called with true when it was right;
 * `signsIn` offers to trust the device, and backup codes.
 */
export function codeForm({ methods, signsIn = false, done }) {
  const ways = [...methods.filter((method) => method in WAYS), ...(signsIn ? ["backup"] : [])];
  const place = element("div");
  const use = (name) => {
    const { label, input, verify } = WAYS[name];
    const fields = [field(label, { name: "code", autofocus: true, ...input }), signsIn && check("Trust this device", "trust")];
    const code = form(fields, "Confirm", async ({ code, trust }) => {
      await data(verify(signsIn ? { code, trustDevice: trust === "on" } : { code }));
      done(true);
    });
    const others = ways.filter((way) => way !== name).map((way) => button(OTHER[way], () => change(way)));
    place.replaceChildren(code, element("div", { className: "row" }, others));
    code.querySelector("input").focus();
  };
  const change = async (name) => {
    if (name === "otp") await data(auth.twoFactor.sendOtp());
    use(name);
  };
  use(ways.includes("totp") ? "totp" : ways[0]);
  if (!ways.includes("totp") && ways[0] === "otp") void data(auth.twoFactor.sendOtp()).catch(() => {});
  return place;
}

/** What the buttons that change the way say. */
const OTHER = { totp: "Use the authenticator app", otp: "Send a code by mail", backup: "Use a backup code" };
