// The real Better Auth server, with the plugins whose dialect Countersign speaks, in this process and in memory.

import { createServer } from "node:http";

// Outside production the real server takes a client without a proxy to be at 127.0.0.1, which is where it is.
process.env.NODE_ENV = "development";

const { betterAuth } = await import("better-auth");
const { memoryAdapter } = await import("better-auth/adapters/memory");
const { toNodeHandler } = await import("better-auth/node");
const { bearer, twoFactor } = await import("better-auth/plugins");
const { passkey } = await import("@better-auth/passkey");

/** Starts one that trusts another origin; `end` stops it. */
export async function startRealServer(trustedOrigin) {
  const mails = [];
  const mailLink = async ({ user, url }) => void mails.push({ to: user.email, url });
  let handle;
  const server = createServer((request, response) => handle(request, response));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  // Passkeys are for a host name.
  const baseURL = `http://localhost:${server.address().port}`;
  const auth = betterAuth({
    appName: "Countersign",
    baseURL,
    trustedOrigins: [trustedOrigin],
    secret: "a secret of this run, which protects nothing",
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], twoFactor: [], passkey: [] }),
    emailAndPassword: { enabled: true, sendResetPassword: mailLink },
    emailVerification: { sendVerificationEmail: mailLink },
    user: { changeEmail: { enabled: true }, deleteUser: { enabled: true } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    // A column that is not set is null in an SQL database; in memory it would not be there at all.
    databaseHooks: { user: { create: { before: async (user) => ({ data: { ...user, image: user.image ?? null } }) } } },
    plugins: [
      twoFactor({ otpOptions: { sendOTP: async ({ user, otp }) => void mails.push({ to: user.email, code: otp }) } }),
      bearer(),
      passkey(),
    ],
  });
  handle = toNodeHandler(auth);
  return {
    baseURL,
    mailedCode: async (address) => mails.findLast(({ to, code }) => to === address && code)?.code,
    mailedLink: async (address) => mails.findLast(({ to, url }) => to === address && url !== undefined)?.url,
    end: () => new Promise((done) => server.close(done)).finally(server.closeAllConnections()),
  };
}
