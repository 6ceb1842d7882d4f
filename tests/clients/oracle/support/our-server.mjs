// Countersign, started as for the other tests of clients.

import { startServer } from "../../support/server.mjs";

/** Starts one that trusts another origin; `end` stops it, and fails if a response broke the contract. */
export async function startOurServer(trustedOrigin) {
  const ends = [];
  const settings = { COUNTERSIGN_TRUSTED_ORIGINS: trustedOrigin };
  // Passkeys are for a host name.
  const server = await startServer({ after: (end) => ends.push(end) }, settings, "localhost");
  return {
    baseURL: server.baseURL,
    mailedCode: (address) => server.mailedCode(address).catch(() => undefined),
    mailedLink: (address, count) => server.mailedLink(address, count),
    end: async () => {
      for (const end of ends) await end();
    },
  };
}
