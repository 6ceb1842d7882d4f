// The reference page in Chromium: it shows both contracts, a person can try a call, and nothing leaves the server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../clients/support/server.mjs";
import { openWindow, startBrowser, takePicture } from "./support/browser.mjs";
import { execute, fillBody, open, operation, overflow, prepare } from "./support/reference-page.mjs";

const DESK = { width: 1280, height: 1000 };
const PHONE = { width: 390, height: 844 };

const ADA = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };

/** The names of all operations of a contract, sorted. */
async function operationIds(server, api) {
  const contract = await (await fetch(`${server.baseURL}/openapi/${api}.json`)).json();
  const methods = new Set(["get", "put", "post", "delete", "patch"]);
  const operations = Object.values(contract.paths).flatMap((item) =>
    Object.entries(item).filter(([method]) => methods.has(method)),
  );
  return operations.map(([, operation]) => operation.operationId).sort();
}

test("every operation of both contracts is on the page", async (t) => {
  const server = await startServer(t);
  const { page, witness } = await openWindow(await startBrowser(t), server.baseURL, DESK);

  await page.goto("/docs");
  await page.locator(".opblock").first().waitFor();
  for (const [api, title] of [
    ["better-auth", "Better Auth"],
    ["fusionauth", "FusionAuth"],
  ]) {
    await page.getByRole("navigation", { name: "APIs" }).getByRole("link", { name: title }).click();
    await page.waitForURL(`**/docs/${api}`);
    await page.locator(".info .title", { hasText: title }).waitFor();
    await page.locator(".opblock").first().waitFor();
    const shown = await page.locator(".opblock-summary-operation-id").allInnerTexts();
    assert.deepEqual(shown.sort(), await operationIds(server, api));
    assert.equal(await overflow(page), 0);
    await takePicture(page, `${api}-desk`);
  }
  assert.deepEqual(witness.complaints, []);
});

test("a call is tried, and its response shown", async (t) => {
  const server = await startServer(t);
  const { page, witness } = await openWindow(await startBrowser(t), server.baseURL, DESK);
  await open(page, "better-auth");

  const ok = operation(page, "Default", "okGet");
  await prepare(ok);
  const response = await execute(ok);
  assert.equal(response.status, "200");
  assert.deepEqual(JSON.parse(response.body), { ok: true });
  assert.ok(witness.requests.includes("GET /api/auth/ok"), witness.requests.join("\n"));
  await ok.scrollIntoViewIfNeeded();
  await takePicture(page, "tried-call");
  assert.deepEqual(witness.complaints, []);
});

test("signing up on the page signs this browser in", async (t) => {
  const server = await startServer(t);
  const { page, witness } = await openWindow(await startBrowser(t), server.baseURL, DESK);
  await open(page, "better-auth");

  const session = operation(page, "Default", "getSession");
  await prepare(session);
  assert.equal((await execute(session)).body, "null");

  const signUp = operation(page, "Default", "signUpWithEmailAndPassword");
  await prepare(signUp);
  await fillBody(signUp, ADA);
  assert.equal((await execute(signUp)).status, "200");

  // Another page of the same browser: what carries the session is the cookie.
  await open(page, "better-auth");
  await prepare(session);
  const response = await execute(session);
  assert.equal(response.status, "200");
  assert.equal(JSON.parse(response.body).user.email, ADA.email);

  const signOut = operation(page, "Default", "signOut");
  await prepare(signOut);
  assert.equal((await execute(signOut)).status, "200");
  const signIn = operation(page, "Default", "signInEmail");
  await prepare(signIn);
  await fillBody(signIn, { email: ADA.email, password: ADA.password });
  assert.equal((await execute(signIn)).status, "200");
  assert.deepEqual(witness.complaints, []);
});

test("a service's key that is entered on the page is shown to the server", async (t) => {
  const server = await startServer(t);
  const { page, witness } = await openWindow(await startBrowser(t), server.baseURL, DESK);
  await open(page, "fusionauth");

  await page.locator(".scheme-container").getByRole("button", { name: "Authorize" }).click();
  const credentials = page.locator(".auth-container");
  assert.deepEqual(await credentials.locator("h4 code").allInnerTexts(), ["apiKey", "bearerAuth"], "no cookie");
  await takePicture(page, "authorize");
  const apiKey = credentials.filter({ hasText: "countersign api-key create" });
  await apiKey.getByRole("textbox").fill(server.apiKey());
  await apiKey.getByRole("button", { name: "Apply credentials" }).click();
  await page.getByRole("button", { name: "Close" }).first().click();

  const createUser = operation(page, "Users", "createUser");
  await prepare(createUser);
  await fillBody(createUser, { user: { email: "grace@example.com", password: ADA.password } });
  const response = await execute(createUser);
  assert.equal(response.status, "200");
  assert.equal(JSON.parse(response.body).user.email, "grace@example.com");
  assert.deepEqual(witness.complaints, []);
});

test("the page fits a phone", async (t) => {
  const server = await startServer(t);
  const { page, witness } = await openWindow(await startBrowser(t), server.baseURL, PHONE);
  // Of each API one that can be called as it is, one with parameters, one with a body.
  for (const [api, ...operations] of [
    ["better-auth", ["Default", "okGet"], ["Default", "getSession"], ["Default", "signUpWithEmailAndPassword"]],
    ["fusionauth", ["JWT", "retrieveJsonWebKeySet"], ["Two-Factor", "retrieveTwoFactorStatus"], ["Users", "createUser"]],
  ]) {
    await open(page, api);
    assert.equal(await overflow(page), 0, api);
    await takePicture(page, `${api}-phone`, { fullPage: true });
    for (const [tag, name] of operations) {
      await prepare(operation(page, tag, name));
      assert.equal(await overflow(page), 0, name);
    }
    const callable = operation(page, ...operations[0]);
    assert.equal((await execute(callable)).status, "200");
    assert.equal(await overflow(page), 0, "with a response");
    await callable.scrollIntoViewIfNeeded();
    await takePicture(page, `${api}-phone-tried-call`);
  }
  assert.deepEqual(witness.complaints, []);
});

test("what the policy forbids is refused, and the witness sees it", async (t) => {
  const server = await startServer(t);
  const { page, witness } = await openWindow(await startBrowser(t), server.baseURL, DESK);
  await open(page, "better-auth");
  assert.deepEqual(witness.complaints, []);

  const injected = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "globalThis.isInjected = true";
    document.body.append(script);
    const elsewhere = await fetch("http://elsewhere.example/").catch(() => "refused");
    return { script: globalThis.isInjected ?? "refused", elsewhere };
  });
  assert.deepEqual(injected, { script: "refused", elsewhere: "refused" });
  for (const directive of ["script-src", "connect-src"]) {
    assert.ok(
      witness.complaints.some((complaint) => complaint.includes(`violates the following Content Security Policy directive`) && complaint.includes(directive)),
      `${directive}:\n${witness.complaints.join("\n")}`,
    );
  }
});
