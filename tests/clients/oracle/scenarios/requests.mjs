// Methods, paths, content types, origins, and what browsers say of where a request comes from.

import { PASSWORD, signedUp } from "./people.mjs";

const ELSEWHERE = "https://elsewhere.example";

export const requests = {
  async "methods"(world) {
    const { browser } = await signedUp(world);
    const posts = ["/sign-up/email", "/sign-in/email", "/sign-out", "/revoke-session", "/revoke-sessions", "/revoke-other-sessions",
      "/change-password", "/two-factor/enable", "/two-factor/verify-totp", "/two-factor/send-otp", "/two-factor/verify-otp",
      "/two-factor/get-totp-uri", "/two-factor/verify-backup-code", "/two-factor/generate-backup-codes", "/two-factor/disable"];
    for (const path of posts) await browser.get(`GET ${path}`, path);
    for (const path of ["/list-sessions", "/ok"]) await browser.post(`POST ${path}`, path, {});
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      for (const path of ["/sign-in/email", "/get-session"]) await browser.send(`${method} ${path}`, method, path, { json: {} });
    }
  },

  async "paths"(world) {
    const { browser } = await signedUp(world);
    for (const path of ["/unknown", "/", "", "/get-session/", "/get-session//", "//get-session", "/Get-Session", "/two-factor", "/get%2Dsession",
      "/two-factor/view-backup-codes", "/two-factor/generate-totp", "/sign-in", "/get-session/more"]) {
      await browser.get(`GET "${path}"`, path);
      await browser.post(`POST "${path}"`, path, {});
    }
  },

  async "content types"(world) {
    const { email, browser } = await signedUp(world);
    const text = JSON.stringify({ email, password: PASSWORD });
    const types = ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8", "text/plain", "application/problem+json",
      "text/json", "multipart/form-data; boundary=x", "application/octet-stream", "application/jsonx", "nonsense", "", null];
    for (const type of types) {
      await world.script().send(`sign in as ${type}`, "POST", "/sign-in/email", { text, type });
      await browser.send(`factor as ${type}`, "POST", "/two-factor/get-totp-uri", { text: JSON.stringify({ password: PASSWORD }), type });
    }
    await browser.send("form for a factor", "POST", "/two-factor/get-totp-uri", {
      text: `password=${encodeURIComponent(PASSWORD)}`,
      type: "application/x-www-form-urlencoded",
    });
    await browser.send("no body, and a text type", "POST", "/two-factor/send-otp", { text: "", type: "text/plain" });
  },

  async "origins"(world) {
    const { email, browser, token } = await signedUp(world);
    const origins = {
      none: { origin: null },
      null: { origin: "null" },
      foreign: { origin: ELSEWHERE },
      "own, other port": { origin: "http://127.0.0.1:1" },
      "own, other name": { origin: world.baseURL.replace("127.0.0.1", "localhost") },
      "own, https": { origin: world.baseURL.replace("http:", "https:") },
      "own, longer": { origin: `${world.baseURL}.elsewhere.example` },
      "own, with a slash": { origin: `${world.baseURL}/` },
      "no URL": { origin: "nonsense" },
      empty: { origin: "" },
      "referer only": { origin: null, referer: `${world.baseURL}/page?q=1` },
      "foreign referer only": { origin: null, referer: `${ELSEWHERE}/page` },
      "own beside a foreign referer": { referer: `${ELSEWHERE}/page` },
    };
    for (const [which, headers] of Object.entries(origins)) {
      await browser.post(`cookie, ${which}`, "/two-factor/enable", { password: "wrong password" }, { headers });
      await world.browser().post(`sign in, ${which}`, "/sign-in/email", { email, password: PASSWORD }, { headers });
    }
    for (const which of ["none", "null", "foreign"]) {
      const headers = origins[which];
      await world.app(token).post(`token, ${which}`, "/two-factor/get-totp-uri", { password: PASSWORD }, { headers });
      await browser.post(`sign out, ${which}`, "/sign-out", {}, { headers });
      const unrelated = { ...headers, cookie: "theme=dark" };
      await world.script().post(`unrelated cookie, ${which}`, "/sign-in/email", { email, password: PASSWORD }, { headers: unrelated });
      await browser.post(`bad body, ${which}`, "/two-factor/enable", {}, { headers });
      await world.script().post(`sign in with a bad body, ${which}`, "/sign-in/email", {}, { headers });
      await browser.send(`no JSON, ${which}`, "POST", "/two-factor/enable", { text: "{", headers });
      await browser.post(`unknown path, ${which}`, "/unknown", {}, { headers });
    }
  },

  async "fetch metadata"(world) {
    const { email } = await signedUp(world);
    const same = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" };
    const cases = {
      "a page of ours": { ...same, origin: world.baseURL },
      "a page of ours without an origin": same,
      "another page": { ...same, "sec-fetch-site": "cross-site", origin: ELSEWHERE },
      "a link elsewhere": { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", origin: ELSEWHERE },
      "a form elsewhere without an origin": { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
      "a form of ours": { "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", origin: world.baseURL },
      "the address bar": { "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
      "the mode alone": { "sec-fetch-mode": "cors" },
      "the mode alone, with a foreign origin": { "sec-fetch-mode": "cors", origin: ELSEWHERE },
    };
    for (const [which, headers] of Object.entries(cases)) {
      await world.script().post(`sign in: ${which}`, "/sign-in/email", { email, password: PASSWORD }, { headers });
      const fields = { name: "Ada", email: world.newEmail(), password: PASSWORD };
      await world.script().post(`sign up: ${which}`, "/sign-up/email", fields, { headers });
    }
  },
};
