// Signing in and up, and a new password for those who have forgotten theirs.

import { auth, data } from "./client.js";
import { codeForm } from "./code-form.js";
import { element, field, form, section, show } from "./elements.js";
import { go } from "./main.js";

const email = () => field("E-mail address", { name: "email", type: "email", autocomplete: "username" });
const newPassword = () =>
  field("New password", { name: "newPassword", type: "password", autocomplete: "new-password", minLength: 8 });

const link = (text, href) => element("p", {}, element("a", { href }, text));

export function signIn() {
  const password = field("Password", { name: "password", type: "password", autocomplete: "current-password" });
  const fields = [email(), password];
  const submit = async (values) => {
    const { twoFactorRedirect, twoFactorMethods } = await data(auth.signIn.email(values));
    return twoFactorRedirect ? challenge(twoFactorMethods) : go("#settings");
  };
  show(
    "Sign in",
    section("Welcome back", form(fields, "Sign in", submit)),
    link("Create an account", "#sign-up"),
    link("Forgot your password?", "#forgot-password"),
  );
}

/** The second factor of a sign-in. */
function challenge(methods) {
  show("Second factor", section("One more step", codeForm({ methods, signsIn: true, done: () => go("#settings") })));
}

export function signUp() {
  const fields = [
    field("Name", { name: "name", autocomplete: "name" }),
    email(),
    field("Password", { name: "password", type: "password", autocomplete: "new-password", minLength: 8 }),
  ];
  const submit = async (values) => {
    await data(auth.signUp.email(values));
    go("#settings");
  };
  show("Create an account", section("Your account", form(fields, "Sign up", submit)), link("Sign in instead", "#sign-in"));
}

export function forgotPassword() {
  const submit = async ({ email }) => {
    // The link leads back here, with a token.
    await data(auth.requestPasswordReset({ email, redirectTo: `${location.origin}/reset-password` }));
    show(
      "Look into your mail",
      section("Nearly there", element("p", {}, "If there is an account with this address, a mail is on its way to it.")),
      link("Back to sign-in", "#sign-in"),
    );
  };
  show("Forgot your password?", section("We send you a link", form([email()], "Send the link", submit)), link("Back", "#sign-in"));
}

/** What the link of the mail leads to. */
export function resetPassword(parameters) {
  const token = parameters.get("token");
  if (!token) {
    show(
      "This link does not work",
      section("It was used, or is too old", element("p", {}, "Ask for another one.")),
      link("Ask for another link", "/#forgot-password"),
    );
    return;
  }
  const submit = async ({ newPassword }) => {
    await data(auth.resetPassword({ newPassword, token }));
    history.replaceState(null, "", "/");
    go("#sign-in");
  };
  show("New password", section("Choose a new password", form([newPassword()], "Save", submit)));
}
