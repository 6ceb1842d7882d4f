// An authenticator app (RFC 6238): SHA-1, 6 digits, 30 seconds.

import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const STEP_MS = 30_000;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** How long a code may be on its way to the server before the time step changes. */
const MARGIN_MS = 4_000;

export class Authenticator {
  #secret;
  #lastStep = -1;
  #wrongCodes = 0;

  constructor(totpURI) {
    this.uri = new URL(totpURI);
    this.#secret = fromBase32(this.uri.searchParams.get("secret"));
  }

  /** An app whose secret was typed in. */
  static of(secretBase32) {
    return new Authenticator(`otpauth://totp/typed-in?secret=${secretBase32}`);
  }

  /**
   * A code that the server has not seen. It takes each time step once and in order, and looks one step back and one
   * ahead: so the codes of three steps are there at once, and only who wants more has to wait.
   */
  async nextCode() {
    for (;;) {
      // Near the end of a step, the one before it may be over when the code arrives.
      const oldest = Math.floor((Date.now() + MARGIN_MS) / STEP_MS) - 1;
      const newest = Math.floor(Date.now() / STEP_MS) + 1;
      const step = Math.max(oldest, this.#lastStep + 1);
      if (step <= newest) {
        this.#lastStep = step;
        return this.#code(step);
      }
      await sleep((step - 1) * STEP_MS - Date.now());
    }
  }

  /** Six digits that are not a code now, nor soon, and other ones each time: a wrong code that is sent again counts once. */
  wrongCode() {
    const now = Math.floor(Date.now() / STEP_MS);
    const right = [-2, -1, 0, 1, 2, 3].map((distance) => this.#code(now + distance));
    for (;;) {
      this.#wrongCodes += 1;
      const code = String(this.#wrongCodes).padStart(6, "0");
      if (!right.includes(code)) return code;
    }
  }

  #code(step) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac("sha1", this.#secret).update(counter).digest();
    const number = mac.readUInt32BE(mac[19] & 0x0f) & 0x7fffffff;
    return String(number % 1_000_000).padStart(6, "0");
  }
}

function fromBase32(text) {
  let bits = 0n;
  for (const letter of text) {
    const value = BASE32.indexOf(letter);
    if (value === -1) throw new Error(`not base32: ${letter}`);
    bits = (bits << 5n) | BigInt(value);
  }
  const length = Math.floor((text.length * 5) / 8);
  bits >>= BigInt(text.length * 5 - length * 8);
  return Buffer.from(bits.toString(16).padStart(length * 2, "0"), "hex");
}
