// Software authenticators (WebAuthn), made of nid-webauthn-emulator.

/**
 * An authenticator without passkeys, which makes keys of `algorithm`, and verifies its user or sees no more than that somebody is
 * there. Its passkeys are synced ones. `emulator` is the package, which each project has installed for itself.
 */
export function makeAuthenticator(emulator, { algorithm = "ES256", verifiesUser = true } = {}) {
  const { AuthenticatorEmulator, PasskeysCredentialsMemoryRepository, default: WebAuthnEmulator } = emulator;
  const interaction = (user) => ({ user, options: { uv: verifiesUser, up: true } });
  return new WebAuthnEmulator(
    new AuthenticatorEmulator({
      algorithmIdentifiers: [algorithm],
      credentialsRepository: new PasskeysCredentialsMemoryRepository(),
      userMakeCredentialInteraction: interaction,
      userGetAssertionInteraction: interaction,
    }),
  );
}
