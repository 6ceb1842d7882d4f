// The types of authenticator.mjs, for tests in TypeScript.

export class Authenticator {
  constructor(totpURI: string);
  static of(secretBase32: string): Authenticator;
  readonly uri: URL;
  nextCode(): Promise<string>;
  wrongCode(): string;
}
