// Brings responses of two servers into a form in which they can be compared: what is random gets a name, which says where
// it was seen first, and instants become distances from now.

import { parseSetCookie } from "../../better-auth-js/support/cookie-jar.mjs";

/** Headers that are compared; cookies are compared one by one. */
const HEADERS = ["content-type", "set-auth-token", "location", "retry-after", "x-retry-after"];

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const TOKEN_OR_ID = /^[A-Za-z0-9]{32}$/;
const BACKUP_CODE = /^[A-Za-z0-9]{5}-[A-Za-z0-9]{5}$/;
const CHALLENGE = /^2fa-[\w-]{20,}$/;
/** 32 random bytes: the challenge of a ceremony, or the id of a credential. */
const RANDOM_BYTES = /^[\w-]{43}$/;
/** A COSE_Key of ES256. */
const PUBLIC_KEY = /^pQECAyYgASFY[A-Za-z0-9+/]+=*$/;
const SIGNED = /^(.*)\.([A-Za-z0-9+/]{43}=)$/s;

/** What of a scenario lasts less is now. */
const MINUTE_MS = 60_000;

export class Normaliser {
  #origin;
  #names = new Map();
  #learned = new Map();

  constructor(origin) {
    this.#origin = origin;
  }

  /** The status, headers, cookies and body of the response to step `label`, which a page of `origin` asked for, or no page. */
  response(label, { status, headers, cookies, text, body, at }, origin) {
    const context = { label, at };
    return {
      status,
      header: {
        ...Object.fromEntries(
          HEADERS.filter((name) => headers[name] !== undefined).map((name) => [name, this.#header(name, headers[name], context)]),
        ),
        // Of what a page may read, only what is there matters; and pages that are not ours may read nothing.
        ...(headers["set-auth-token"] === undefined || (origin ?? this.#origin) !== this.#origin ? {} : { exposes: exposed(headers).includes("set-auth-token") }),
      },
      cookie: this.#cookies(cookies, context),
      body: body === undefined ? text : this.#value(body, "body", context),
    };
  }

  /** From now on this text has a name, also within other texts. */
  learn(text, name) {
    this.#learned.set(text, `<${name}>`);
  }

  #header(name, value, context) {
    if (name === "content-type") return value.toLowerCase().replaceAll(" ", "");
    return this.#text(value, `header.${name}`, context);
  }

  #cookies(lines, context) {
    // Of several lines for one cookie, browsers keep the last.
    const cookies = lines.map(parseSetCookie).map(({ name, value, attributes }) => [
      name.replace(/^better-auth\./, ""),
      { value: this.#cookieValue(name, value, context), attributes: attributes.toSorted().join("; ") },
    ]);
    return Object.fromEntries(cookies);
  }

  #cookieValue(name, value, context) {
    if (value === "") return "";
    const decoded = decodeURIComponent(value);
    if (encodeURIComponent(decoded) !== value) return `in another encoding: ${value}`;
    const place = `cookie.${name.replace(/^better-auth\./, "")}`;
    const signed = SIGNED.exec(decoded);
    if (signed === null) return `not signed: ${decoded}`;
    const [, plain] = signed;
    // The value is of an account, a device and a moment: each server has its own form for it.
    return `${plain === "true" ? plain : this.#name(plain, place, context)}.<signature>`;
  }

  #value(value, place, context) {
    if (Array.isArray(value)) return inOrder(value).map((item, index) => this.#value(item, `${place}[${index}]`, context));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, this.#value(item, `${place}.${key}`, context)]),
      );
    }
    return typeof value === "string" ? this.#text(value, place, context) : value;
  }

  #text(text, place, context) {
    if (this.#names.has(text)) return this.#names.get(text);
    if (TIME.test(text)) return instant(Date.parse(text) - context.at);
    const signed = SIGNED.exec(text);
    if (signed !== null) return `${this.#text(signed[1], place, context)}.<signature>`;
    if (text.startsWith("otpauth://")) {
      return text.replace(/secret=([A-Z2-7]+)/, (_, secret) => `secret=${this.#name(secret, `${place} secret`, context)}`);
    }
    if ([TOKEN_OR_ID, BACKUP_CODE, CHALLENGE, RANDOM_BYTES, PUBLIC_KEY].some((form) => form.test(text))) return this.#name(text, place, context);
    for (const [known, name] of this.#learned) text = text.replaceAll(known, name);
    return text.replaceAll(this.#origin, "<origin>").replaceAll(this.#origin.replace("http://", ""), "<host>");
  }

  #name(value, place, { label }) {
    if (!this.#names.has(value)) this.#names.set(value, `<${place} of "${label}">`);
    return this.#names.get(value);
  }
}

/** The headers that a page of another origin may read. */
function exposed(headers) {
  return (headers["access-control-expose-headers"] ?? "").toLowerCase().split(/, */);
}

/** Sessions are listed in no particular order: put them in that of their creation. */
function inOrder(items) {
  return items.every((item) => item?.createdAt) ? items.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt)) : items;
}

function instant(distance) {
  const minutes = Math.round(distance / MINUTE_MS);
  return Math.abs(distance) < MINUTE_MS ? "<now>" : `<now ${minutes < 0 ? "-" : "+"} ${Math.abs(minutes)} min>`;
}
