// How cookies are read.

import { challenged, cookieHeader, cookieOf, enrolled, signedUp } from "./people.mjs";

export const cookies = {
  async "session cookie"(world) {
    const { browser, token } = await signedUp(world);
    const other = await signedUp(world, "somebody else");
    const { value } = cookieOf(browser, "session_token");
    const decoded = decodeURIComponent(value);
    const session = cookieHeader("session_token", value);
    const forms = {
      "as it was set": session,
      "percent-decoded": cookieHeader("session_token", decoded),
      quoted: cookieHeader("session_token", `"${value}"`),
      "after others": `theme=dark; ${session}`,
      "before others": `${session}; theme=dark`,
      "without blanks": `theme=dark;${session};lang=en`,
      "with more blanks": `theme=dark;   ${session}  ;`,
      "twice, the other second": `${session}; ${cookieHeader("session_token", cookieOf(other.browser, "session_token").value)}`,
      "after a malformed one": `theme; ${session}`,
      "after one that cannot be decoded": `theme=%E0%A4%A; ${session}`,
      "after one with bytes beyond ASCII": `visitor=Jos\u00e9; ${session}`,
      "with a blank before the sign": session.replace("=", " ="),
      "without a signature": cookieHeader("session_token", token),
      "with another's signature": cookieHeader("session_token", encodeURIComponent(`${token}.${decodeURIComponent(cookieOf(other.browser, "session_token").value).split(".")[1]}`)),
      "with a short signature": cookieHeader("session_token", value.slice(0, -6)),
      "with a malformed escape": cookieHeader("session_token", `${value}%`),
      empty: cookieHeader("session_token", ""),
      "under the secure name": `__Secure-${session}`,
      "in capitals": session.toUpperCase(),
      "the challenge's name": cookieHeader("two_factor", value),
    };
    for (const [which, cookie] of Object.entries(forms)) await world.script().get(which, "/get-session", { headers: { cookie } });
    const { body } = await world.script().get("nothing else is needed", "/get-session", { headers: { cookie: session } });
    if (body === null) throw new Error("the session is there all the while");
  },

  async "a challenge's cookie elsewhere"(world) {
    const { email, backupCodes } = await enrolled(world);
    const browser = await challenged(world, email, "challenge");
    const { value } = cookieOf(browser, "two_factor");
    const send = (label, cookie) =>
      world.script().post(label, "/two-factor/verify-backup-code", { code: backupCodes[0] }, { headers: { cookie, origin: world.baseURL } });
    await world.script().get("as a session", "/get-session", { headers: { cookie: cookieHeader("session_token", value) } });
    await send("as a trusted device", cookieHeader("trust_device", value));
    await send("forged", cookieHeader("two_factor", value.replace(/^..../, "AAAA")));
    await send("without a signature", cookieHeader("two_factor", decodeURIComponent(value).split(".")[0]));
    await send("as it was set", cookieHeader("two_factor", value));
  },
};
