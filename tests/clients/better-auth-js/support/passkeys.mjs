// The part of a browser that Node has not: `navigator.credentials`, with a software authenticator.

import emulator from "nid-webauthn-emulator";
import { makeAuthenticator } from "../../support/webauthn.mjs";

/** The page that asks, and the authenticator at hand. */
let page;

/** What happens between the options and the response of a ceremony. */
let between = () => {};

globalThis.PublicKeyCredential ??= class PublicKeyCredential {};
Object.defineProperty(globalThis, "navigator", {
  value: {
    credentials: {
      create: (options) => ceremony(() => page.authenticator.create(page.origin, options)),
      get: (options) => ceremony(() => page.authenticator.get(page.origin, options)),
    },
  },
});

async function ceremony(ask) {
  await between();
  return ask();
}

/** From now on, clients are in a page of this origin, with this authenticator at hand. */
export function openPage(origin, authenticator) {
  page = { origin, authenticator };
}

/** Makes a call of which the client has its options when `happens` is called, and its response afterwards. */
export async function meanwhile(happens, call) {
  between = happens;
  try {
    return await call();
  } finally {
    between = () => {};
  }
}

/** An authenticator without passkeys. */
export function newAuthenticator(options) {
  return makeAuthenticator(emulator, options);
}

/** A user who does not touch the authenticator. */
export function cancel() {
  throw new DOMException("The operation was cancelled.", "NotAllowedError");
}
