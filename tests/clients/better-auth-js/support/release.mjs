// The release of better-auth under test. One set of tests runs for all of them; in what they differ stands here.

/** `1.6` or `1.7`. */
export const RELEASE = process.env.BETTER_AUTH_RELEASE ?? "1.7";

/** Its name in package.json. */
export const PACKAGE = `better-auth-${RELEASE}`;

const { createAuthClient } = await import(`${PACKAGE}/client`);
const { twoFactorClient } = await import(`${PACKAGE}/client/plugins`);

export { createAuthClient, twoFactorClient };
