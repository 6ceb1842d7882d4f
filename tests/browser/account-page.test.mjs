// The example application, client/examples/account-page, as a user walks through it: on a desk and on a phone.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { pages } from "../../client/examples/account-page/serve.mjs";
import { Authenticator } from "../clients/support/authenticator.mjs";
import { startServer } from "../clients/support/server.mjs";
import { openWindow, startBrowser, takePicture } from "./support/browser.mjs";
import { overflow } from "./support/reference-page.mjs";

const SCREENS = { desk: { width: 1280, height: 1000 }, phone: { width: 390, height: 844 } };

const ADA = { name: "Ada Lovelace", email: "ada@example.com", password: "correct horse battery staple" };
const NEW_PASSWORD = "a new horse for the battery";

/** The page and its server, until the test `t` ends. */
async function start(t) {
  let handler;
  const application = createServer((request, response) => handler(request, response));
  await new Promise((done) => application.listen(0, "127.0.0.1", done));
  t.after(() => {
    application.close();
    application.closeAllConnections();
  });
  const origin = `http://127.0.0.1:${application.address().port}`;
  const server = await startServer(t, { COUNTERSIGN_TRUSTED_ORIGINS: origin });
  handler = await pages(server.baseURL);
  return { origin, server };
}

/** Fills the fields of a form by their labels, and sends it by the button with this name. */
async function send(place, values, button) {
  for (const [label, value] of Object.entries(values)) await place.getByLabel(label, { exact: true }).fill(value);
  await place.getByRole("button", { name: button, exact: true }).click();
}

const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();

for (const [screen, viewport] of Object.entries(SCREENS)) {
  test(`an account's life on a ${screen}`, async (t) => {
    const { origin, server } = await start(t);
    const { page, witness } = await openWindow(await startBrowser(t), origin, viewport, [server.baseURL]);
    const dialog = page.getByRole("dialog");
    const section = (title) => page.locator("section").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
    const done = (what) => page.getByRole("status").getByText(what).waitFor();
    const look = async (name) => {
      assert.equal(await overflow(page), 0, `${name} is as wide as the screen`);
      await takePicture(page, `account-page-${name}-${screen}`, { fullPage: true });
    };

    // Signed up.
    await page.goto("/");
    await heading(page, "Sign in");
    await look("sign-in");
    await page.getByRole("link", { name: "Create an account" }).click();
    await send(page, { Name: ADA.name, "E-mail address": ADA.email, Password: ADA.password }, "Sign up");
    await heading(page, "Settings");

    // An authenticator app, by its QR code.
    await page.getByRole("button", { name: "Set up an authenticator app" }).click();
    await send(dialog, { "Current password": ADA.password }, "Go on");
    await dialog.getByRole("img", { name: "QR code of the key" }).waitFor();
    await look("qr-code");
    const secret = await dialog.locator(".secret").innerText();
    const authenticator = Authenticator.of(secret);
    await send(dialog, { "Code that the app shows": await authenticator.nextCode() }, "Confirm");
    const codes = dialog.locator(".codes li");
    await codes.first().waitFor();
    const [backupCode, ...others] = await codes.allInnerTexts();
    assert.equal(others.length, 9);
    await look("backup-codes");
    await dialog.getByRole("button", { name: "I have kept them" }).click();
    await done("The second factor is on.");
    await look("settings");

    // The name.
    await send(section("Profile"), { Name: "Ada King" }, "Save name");
    await done("Your name is changed.");
    await page.reload();
    assert.equal(await section("Profile").getByLabel("Name").inputValue(), "Ada King");

    // Signed in again, with a wrong code first.
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(page, "Sign in");
    await send(page, { "E-mail address": ADA.email, Password: ADA.password }, "Sign in");
    await heading(page, "Second factor");
    await look("challenge");
    const complaints = witness.complaints.length;
    await send(page, { "Code from your authenticator app": "000000" }, "Confirm");
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
    const wrong = witness.complaints.splice(complaints);
    assert.ok(wrong.every((complaint) => complaint.includes("401")), wrong.join("\n"));
    await page.getByLabel("Trust this device").check();
    await send(page, { "Code from your authenticator app": await authenticator.nextCode() }, "Confirm");
    await heading(page, "Settings");
    await section("Trusted devices").getByText(/Chrome on Linux, last used .* from 127\.0\.0\.1 this one/).waitFor();
    await section("Where you are signed in").getByText(/Chrome on Linux from/).waitFor();
    await look("trusted-devices");

    // From a trusted device the password is enough to sign in, and not to change it.
    await page.getByRole("button", { name: "Sign out" }).click();
    await send(page, { "E-mail address": ADA.email, Password: ADA.password }, "Sign in");
    await heading(page, "Settings");
    await send(section("Password"), { "Current password": ADA.password, "New password": NEW_PASSWORD }, "Change password");
    await dialog.getByRole("heading", { name: "Confirm that it is you" }).waitFor();
    await look("step-up");
    await send(dialog, { "Code from your authenticator app": await authenticator.nextCode() }, "Confirm");
    await dialog.waitFor({ state: "hidden" });
    await done("Your password is changed.");
    const refused = witness.complaints.splice(0);
    assert.ok(refused.every((complaint) => complaint.includes("403")), refused.join("\n"));

    // The password is forgotten: the link of the mail sets another one, and the second factor is asked for as before.
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    // The form before has a field of the same name.
    await heading(page, "Forgot your password?");
    await send(page, { "E-mail address": ADA.email }, "Send the link");
    await heading(page, "Look into your mail");
    await page.goto(await mailedLink(server, ADA.email));
    await heading(page, "New password");
    await look("new-password");
    await send(page, { "New password": ADA.password }, "Save");
    await heading(page, "Sign in");
    await send(page, { "E-mail address": ADA.email, Password: ADA.password }, "Sign in");
    await heading(page, "Second factor");
    await page.getByRole("button", { name: "Use a backup code" }).click();
    await page.getByLabel("Trust this device").check();
    await send(page, { "One of your backup codes": backupCode }, "Confirm");
    await heading(page, "Settings");

    // The new password has ended the trust of before; what came after it is revoked.
    const devices = section("Trusted devices").getByRole("listitem");
    await devices.first().waitFor();
    assert.equal(await devices.count(), 1);
    await devices.getByRole("button", { name: "Forget" }).click();
    await done("That device is asked for a second factor again.");
    await section("Trusted devices").getByText("None: each sign-in asks for a second factor.").waitFor();

    // The end of the account.
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await send(dialog, { "Current password": ADA.password }, "Go on");
    await heading(page, "Create an account");
    assert.deepEqual(witness.complaints, []);
  });
}

/** The newest link that was mailed to an address; a worker delivers it in the background. */
async function mailedLink(server, address) {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
    const links = (await server.messagesTo(address)).filter((message) => message.link);
    if (links.length > 0) return links.at(-1).link;
  }
  throw new Error(`no link was mailed to ${address}`);
}
