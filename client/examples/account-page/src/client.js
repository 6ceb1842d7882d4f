// The server, through the better-auth client.

import { createAuthClient } from "better-auth/client";
import { twoFactorClient } from "better-auth/client/plugins";
import { codeForm } from "./code-form.js";
import { ask } from "./elements.js";

/* global SERVER */
export const auth = createAuthClient({ baseURL: SERVER, plugins: [twoFactorClient()] });

/** Why a call failed, for the user. */
export function words(error) {
  return error.status === 0 || error.status === undefined
    ? "The server cannot be reached. Try again."
    : (error.message ?? "Something went wrong. Try again.");
}

/** A call's data; throws an error with words for the user. */
export async function data(call) {
  const { data, error } = await call;
  if (error) throw Object.assign(new Error(words(error)), { code: error.code });
  return data;
}

/**
 * Makes a change for which the server may want a second factor first. Throws like `data`, also when the user cancels the
 * question for a code.
 */
export async function withSecondFactor(change) {
  for (;;) {
    const result = await change();
    if (result.error?.code !== "SECOND_FACTOR_REQUIRED") return data(Promise.resolve(result));
    const isPassed = await ask("Confirm that it is you", (done) => codeForm({ methods: ["totp", "otp"], done }));
    if (!isPassed) throw new Error("Nothing was changed.");
  }
}
