// Countersign, started as for the other tests of clients.

import { startServer } from "../../support/server.mjs";

/** Starts one; `end` stops it, and fails if a response broke the contract. */
export async function startOurServer() {
  const ends = [];
  const server = await startServer({ after: (end) => ends.push(end) });
  return {
    baseURL: server.baseURL,
    mailedCode: (address) => server.mailedCode(address).catch(() => undefined),
    end: async () => {
      for (const end of ends) await end();
    },
  };
}
