// Passkeys, by a software authenticator.

import emulator from "nid-webauthn-emulator";
import { makeAuthenticator } from "../../support/webauthn.mjs";
import { challenged, cookieOf, enrolled, PASSWORD, signedUp } from "./people.mjs";

const UNKNOWN = "0".repeat(32);

/** An authenticator in pages of `origin`. Responses are without `clientExtensionResults`, as the plugin's client sends them. */
class Authenticator {
  #origin;
  #emulator;

  constructor(origin, options) {
    this.#origin = origin;
    this.#emulator = makeAuthenticator(emulator, options);
  }

  create(options) {
    const { clientExtensionResults, ...response } = this.#emulator.createJSON(this.#origin, options);
    return response;
  }

  get(options) {
    const { clientExtensionResults, ...response } = this.#emulator.getJSON(this.#origin, options);
    return response;
  }
}

/** Registers a passkey at a browser with a session; says what the server calls it. */
async function register(world, browser, as, authenticator = new Authenticator(world.baseURL), fields = {}) {
  const { body } = await browser.get(`${as}: options`, "/passkey/generate-register-options");
  const response = authenticator.create(body);
  const registered = await browser.post(as, "/passkey/verify-registration", { response, ...fields });
  return { authenticator, id: registered.body.id };
}

/** Signs in, or passes the second factor, with a passkey; says what was sent. */
async function use(browser, as, authenticator) {
  const { body } = await browser.get(`${as}: options`, "/passkey/generate-authenticate-options");
  const response = authenticator.get(body);
  await browser.post(as, "/passkey/verify-authentication", { response });
  return response;
}

const manage = (browser, as, call, body) => browser.post(as, `/passkey/${call}-passkey`, body);
const list = (browser, as) => browser.get(as, "/passkey/list-user-passkeys");

export const passkeys = {
  async "passkey"(world) {
    const { browser } = await signedUp(world);
    await list(browser, "none");
    const { id, authenticator } = await register(world, browser, "register", undefined, { name: "My laptop" });
    await list(browser, "one");
    await manage(browser, "rename", "update", { id, name: " The old one " });
    await browser.post("sign out", "/sign-out", {});
    await use(browser, "sign in", authenticator);
    await browser.get("session", "/get-session");
    await list(browser, "used");
    await manage(browser, "delete", "delete", { id });
    await list(browser, "deleted");
    await browser.post("sign out again", "/sign-out", {});
    await use(browser, "sign in without it", authenticator);
  },

  async "passkey: registration"(world) {
    const { browser } = await signedUp(world);
    const options = (as, query) => browser.get(as, `/passkey/generate-register-options${query}`);
    await options("named", "?name=Ada%27s+laptop&context=any");
    await options("of this device", "?authenticatorAttachment=platform");
    await options("of any device", "?authenticatorAttachment=cross-platform");
    await options("of another device", "?authenticatorAttachment=elsewhere");
    const verify = (as, body) => browser.post(as, "/passkey/verify-registration", body);
    await verify("no response", {});
    await verify("a text", { response: "text" });
    const response = new Authenticator(world.baseURL).create((await options("options", "")).body);
    const cookie = cookieOf(browser, "better-auth-passkey");
    await verify("right response", { response, name: "My laptop" });
    browser.cookies.put(cookie);
    await verify("again", { response });
    await list(browser, "one");
    await register(world, browser, "of a page elsewhere", new Authenticator("http://localhost:1"));
    await register(world, browser, "with the session", undefined, { createSession: true });
    const nobody = world.browser();
    await nobody.get("options without a session", "/passkey/generate-register-options");
    await nobody.post("without a session", "/passkey/verify-registration", { response });
  },

  async "passkey: sign-in"(world) {
    const { browser } = await signedUp(world);
    const { authenticator } = await register(world, browser, "register");
    const elsewhere = world.browser();
    const verify = (as, body) => elsewhere.post(as, "/passkey/verify-authentication", body);
    await verify("without options", { response: {} });
    await verify("no response", {});
    await verify("a text", { response: "text" });
    const options = await elsewhere.get("options", "/passkey/generate-authenticate-options");
    const cookie = cookieOf(elsewhere, "better-auth-passkey");
    const response = authenticator.get(options.body);
    await verify("sign in", { response });
    elsewhere.cookies.put(cookie);
    await verify("again", { response });
    const unknown = new Authenticator(world.baseURL);
    unknown.create((await browser.get("options of no registration", "/passkey/generate-register-options")).body);
    await use(world.browser(), "an unknown one", unknown);
    const { body } = await world.browser().get("other options", "/passkey/generate-authenticate-options");
    const forger = world.browser();
    await forger.get("options of the forger", "/passkey/generate-authenticate-options");
    await forger.post("response to other options", "/passkey/verify-authentication", { response: authenticator.get(body) });
  },

  async "passkey: management"(world) {
    const { browser } = await signedUp(world);
    const { id } = await register(world, browser, "register");
    const { browser: other } = await signedUp(world, "somebody else signs up");
    await manage(other, "rename somebody else's", "update", { id, name: "Mine" });
    await manage(other, "delete somebody else's", "delete", { id });
    await manage(other, "rename none", "update", { id: UNKNOWN, name: "Mine" });
    await manage(other, "delete none", "delete", { id: UNKNOWN });
    for (const [as, body] of Object.entries({ "no id": {}, "a number": { id: 5 }, "no name": { id }, "blank name": { id, name: " " } })) {
      await manage(browser, `rename, ${as}`, "update", body);
      if (body.id !== id) await manage(browser, `delete, ${as}`, "delete", body);
    }
    const nobody = world.browser();
    await list(nobody, "list without a session");
    await manage(nobody, "rename without a session", "update", { id, name: "Mine" });
    await manage(nobody, "delete without a session", "delete", { id });
  },

  async "passkey and second factor"(world) {
    const { email, browser } = await enrolled(world);
    const { authenticator } = await register(world, browser, "register");
    await browser.post("sign out", "/sign-out", {});
    await use(browser, "sign in", authenticator);
    await browser.get("session", "/get-session");
    await browser.post("backup codes", "/two-factor/generate-backup-codes", { password: PASSWORD });
    await browser.post("sign out again", "/sign-out", {});
    await challenged(world, email, "challenge", browser);
    await use(browser, "second factor", authenticator);
    await browser.get("session of the challenge", "/get-session");
  },

  async "passkey without verification"(world) {
    const { browser } = await enrolled(world);
    const { authenticator } = await register(world, browser, "register", new Authenticator(world.baseURL, { verifiesUser: false }));
    await browser.post("sign out", "/sign-out", {});
    await use(browser, "sign in", authenticator);
  },
};
