// The real better-auth client in pages of an application on another origin, in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { snippet } from "../clients/support/readme.mjs";
import { startServer } from "../clients/support/server.mjs";
import { startApplication } from "./support/application.mjs";
import { openWindow, startBrowser } from "./support/browser.mjs";
import { ADA, DESK, PASSWORD, call, enrol } from "./support/client.mjs";

/** How often a race is run that the server has to win each time. */
const RACES = 5;

/** A page whose variable `auth` is the client, with `headers` in each request. */
function clientOf(baseURL, headers = {}) {
  return `
    import { createAuthClient } from "better-auth/client";
    import { twoFactorClient } from "better-auth/client/plugins";
    globalThis.auth = createAuthClient({
      baseURL: ${JSON.stringify(baseURL)},
      plugins: [twoFactorClient()],
      fetchOptions: { headers: ${JSON.stringify(headers)} },
    });
  `;
}

/** An application whose page has `script` of the server's address, and that page in a new window. */
async function openApplication(t, script) {
  const application = await startApplication(t);
  const server = await startServer(t, { COUNTERSIGN_TRUSTED_ORIGINS: application.origin });
  await application.use(script(server.baseURL));
  const { page, witness } = await openWindow(await startBrowser(t), application.origin, DESK, [server.baseURL]);
  await page.goto("/");
  return { server, page, witness };
}

test("a page with tracing headers on another origin signs in", async (t) => {
  const tracing = {
    "sentry-trace": "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
    baggage: "sentry-environment=production",
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  };
  const { page, witness } = await openApplication(t, (baseURL) => clientOf(baseURL, tracing));
  await call(page, "signUp.email", ADA);
  await call(page, "signOut");
  assert.equal(await call(page, "getSession"), null);
  await call(page, "signIn.email", { email: ADA.email, password: PASSWORD });
  assert.equal((await call(page, "getSession")).user.email, ADA.email);
  assert.deepEqual(witness.complaints, []);
});

test("a cookie with é changes nothing", async (t) => {
  const { page, witness } = await openApplication(t, clientOf);
  // Cookies belong to a host, whatever the port: the server gets this one.
  await page.evaluate(() => (document.cookie = "visitor=José; path=/"));
  await call(page, "signUp.email", ADA);
  assert.equal((await call(page, "getSession")).user.email, ADA.email);
  await call(page, "signOut");
  await call(page, "signIn.email", { email: ADA.email, password: PASSWORD });
  assert.equal((await call(page, "getSession")).user.email, ADA.email);
  await page.evaluate(() => (document.cookie = "other=naïve – “quoted”; path=/"));
  assert.equal((await call(page, "listSessions")).length, 1);
  await call(page, "signOut");
  assert.equal(await call(page, "getSession"), null);
  assert.deepEqual(witness.complaints, []);
});

test("a double click on sign-in keeps the trusted device", async (t) => {
  const { page } = await openApplication(t, (baseURL) => `
    ${clientOf(baseURL)}
    globalThis.signIns = [];
    document.querySelector("#sign-in").addEventListener("click", () => {
      globalThis.signIns.push(globalThis.auth.signIn.email(${JSON.stringify({ email: ADA.email, password: PASSWORD })}));
    });
  `);
  const authenticator = await enrol(page);
  await call(page, "signOut");
  const challenge = await call(page, "signIn.email", { email: ADA.email, password: PASSWORD });
  assert.equal(challenge.twoFactorRedirect, true);
  await call(page, "twoFactor.verifyTotp", { code: await authenticator.nextCode(), trustDevice: true });

  for (let race = 1; race <= RACES; race += 1) {
    await call(page, "signOut");
    await page.locator("#sign-in").dblclick();
    const results = await page.evaluate(async () => Promise.all(globalThis.signIns.splice(0)));
    assert.equal(results.length, 2, "both clicks signed in");
    for (const { error } of results) assert.equal(error, null, JSON.stringify(error));
    assert.ok(results.some(({ data }) => !data.twoFactorRedirect), "one of them needs no second factor");
    await call(page, "signOut");
    const { twoFactorRedirect } = await call(page, "signIn.email", { email: ADA.email, password: PASSWORD });
    assert.equal(twoFactorRedirect, undefined, `the device is trusted after double click ${race}`);
  }
});

test("the README's example for pages signs in with a second factor, and once in 30 days", async (t) => {
  const { page, witness } = await openApplication(t, (baseURL) => `
    ${snippet("page", baseURL)}
    Object.assign(globalThis, { auth, signIn });
  `);
  const authenticator = await enrol(page);
  const code = await authenticator.nextCode();
  const signIn = () =>
    page.evaluate(async ([email, password, code]) => {
      const asked = [];
      const { error } = await globalThis.signIn(email, password, async (methods) => (asked.push(methods), code));
      return { asked, error };
    }, [ADA.email, PASSWORD, code]);

  await call(page, "signOut");
  assert.deepEqual(await signIn(), { asked: [["totp", "otp"]], error: null });
  await call(page, "signOut");
  assert.deepEqual(await signIn(), { asked: [], error: null });
  assert.equal((await call(page, "getSession")).user.email, ADA.email);
  assert.deepEqual(witness.complaints, []);
});
