// Settings: profile, password, second factor, trusted devices, sessions, deletion.

import { renderSVG } from "uqr";
import { auth, data, withSecondFactor } from "./client.js";
import { ask, button, element, field, form, section, show } from "./elements.js";
import { go } from "./main.js";

const quiet = (text) => element("p", { className: "quiet" }, text);
const currentPassword = () =>
  field("Current password", { name: "password", type: "password", autocomplete: "current-password" });

/** Shows the settings, after a change with what was done. */
export async function settings(done = null) {
  const session = await data(auth.getSession());
  if (!session) return go("#sign-in");
  const { user } = session;
  const sessions = await data(auth.listSessions());
  const trusted = user.twoFactorEnabled ? await data(auth.$fetch("/trusted-devices/list")) : [];
  show(
    "Settings",
    done ? element("p", { role: "status" }, done) : [],
    profile(user),
    secondFactor(user),
    password(),
    user.twoFactorEnabled ? trustedDevices(trusted) : [],
    whereSignedIn(sessions, session.session),
    deletion(),
    button("Sign out", async () => {
      await data(auth.signOut());
      go("#sign-in");
    }),
  );
}

function profile(user) {
  const save = async ({ name }) => {
    await data(auth.updateUser({ name }));
    await settings("Your name is changed.");
  };
  return section(
    "Profile",
    quiet(`${user.email}${user.emailVerified ? "" : " (not confirmed)"}`),
    form([field("Name", { name: "name", value: user.name, autocomplete: "name" })], "Save name", save),
  );
}

function secondFactor(user) {
  if (!user.twoFactorEnabled) {
    return section(
      "Second factor",
      quiet("Off. With it, nobody signs in with your password alone."),
      button("Set up an authenticator app", enrol, { className: "main" }),
    );
  }
  return section(
    "Second factor",
    quiet("On: a sign-in asks for a code from your authenticator app."),
    element(
      "div",
      { className: "row" },
      button("New backup codes", newBackupCodes),
      button("Turn off", async () => {
        const password = await askPassword("Turn the second factor off");
        if (password === null) return;
        await withSecondFactor(() => auth.twoFactor.disable({ password }));
        await settings("The second factor is off.");
      }),
    ),
  );
}

function askPassword(title) {
  return ask(title, (done) => form([currentPassword()], "Go on", ({ password }) => done(password)));
}

/** Enrols an app: password, QR code, a code of the app, backup codes. */
async function enrol() {
  const password = await askPassword("Set up an authenticator app");
  if (password === null) return;
  const { totpURI, backupCodes } = await withSecondFactor(() => auth.twoFactor.enable({ password }));
  const isConfirmed = await ask("Scan this with your app", (done) => [
    qrCode(totpURI),
    quiet("Or type this key into it:"),
    element("p", { className: "secret" }, new URL(totpURI).searchParams.get("secret")),
    form(
      [field("Code that the app shows", { name: "code", inputMode: "numeric", autocomplete: "one-time-code" })],
      "Confirm",
      async ({ code }) => {
        await data(auth.twoFactor.verifyTotp({ code }));
        done(true);
      },
    ),
  ]);
  if (isConfirmed) await showBackupCodes(backupCodes);
  await settings(isConfirmed ? "The second factor is on." : null);
}

/** A picture of a URI. It is made here: its secret goes to nobody else. */
function qrCode(text) {
  const picture = `data:image/svg+xml,${encodeURIComponent(renderSVG(text, { border: 4 }))}`;
  return element("img", { className: "qr", src: picture, alt: "QR code of the key" });
}

async function newBackupCodes() {
  const password = await askPassword("New backup codes");
  if (password === null) return;
  const { backupCodes } = await withSecondFactor(() => auth.twoFactor.generateBackupCodes({ password }));
  await showBackupCodes(backupCodes);
}

function showBackupCodes(codes) {
  return ask("Keep these backup codes", (done) => [
    quiet("Each signs you in once, if you lose your app. They are shown only now."),
    element("ul", { className: "codes" }, codes.map((code) => element("li", {}, code))),
    element("button", { className: "main", onclick: () => done(true) }, "I have kept them"),
  ]);
}

function password() {
  const fields = [
    currentPassword(),
    field("New password", { name: "newPassword", type: "password", autocomplete: "new-password", minLength: 8 }),
  ];
  const change = async ({ password: currentPassword, newPassword }) => {
    await withSecondFactor(() => auth.changePassword({ currentPassword, newPassword, revokeOtherSessions: true }));
    await settings("Your password is changed.");
  };
  return section("Password", quiet("Other sessions end when you change it."), form(fields, "Change password", change));
}

/** Devices that skip the second factor. They are operations of this server: the client has no method for them, but `$fetch`. */
function trustedDevices(devices) {
  const title = "Trusted devices";
  if (devices.length === 0) return section(title, quiet("None: each sign-in asks for a second factor."));
  const items = devices.map((device) => {
    const forget = async () => {
      await data(auth.$fetch("/trusted-devices/revoke", { method: "POST", body: { id: device.id } }));
      await settings("That device is asked for a second factor again.");
    };
    const used = new Date(device.lastUsedAt).toLocaleString();
    const text = `${device.name}, last used ${used}${device.ipAddress ? ` from ${device.ipAddress}` : ""}`;
    return element(
      "li",
      {},
      element("span", {}, text, device.isCurrent ? element("span", { className: "quiet" }, " this one") : []),
      button("Forget", forget),
    );
  });
  const forgetAll = async () => {
    await data(auth.$fetch("/trusted-devices/revoke-all", { method: "POST" }));
    await settings("No device is trusted any more.");
  };
  return section(
    title,
    quiet("They sign in with your password alone."),
    element("ul", { className: "sessions" }, items),
    devices.length > 1 ? button("Forget all", forgetAll) : [],
  );
}

function whereSignedIn(sessions, current) {
  const items = sessions.map((session) => {
    const end = async () => {
      await data(auth.revokeSession({ token: session.token }));
      await settings("The session is ended.");
    };
    const used = new Date(session.lastUsedAt).toLocaleString();
    const place = session.ipAddress ? ` from ${session.ipAddress}` : "";
    return element(
      "li",
      {},
      element("span", {}, `${session.deviceName}${place}, last used ${used}`),
      session.id === current.id ? element("span", { className: "quiet" }, "this one") : button("End", end),
    );
  });
  return section("Where you are signed in", element("ul", { className: "sessions" }, items));
}

function deletion() {
  const remove = async () => {
    const password = await askPassword("Delete your account for ever");
    if (password === null) return;
    await withSecondFactor(() => auth.deleteUser({ password }));
    go("#sign-up");
  };
  return section("Delete account", quiet("Nothing of it is kept but the record of what happened."), button("Delete", remove));
}
