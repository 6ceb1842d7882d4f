// Which page the address names.

import { show } from "./elements.js";
import { settings } from "./settings.js";
import { forgotPassword, resetPassword, signIn, signUp } from "./sign-in.js";

const PAGES = { "#sign-in": signIn, "#sign-up": signUp, "#forgot-password": forgotPassword, "#settings": () => settings() };

/** Goes to a page by its hash. */
export function go(hash) {
  if (location.hash === hash) void open();
  else location.hash = hash;
}

async function open() {
  try {
    if (location.pathname === "/reset-password" && location.hash === "") {
      resetPassword(new URLSearchParams(location.search));
    } else {
      await (PAGES[location.hash] ?? PAGES["#settings"])();
    }
  } catch (error) {
    show("Something went wrong", error.message);
  }
}

addEventListener("hashchange", () => void open());
void open();
