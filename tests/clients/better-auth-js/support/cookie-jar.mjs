// The part of a browser that Node's fetch has not: it keeps cookies.

export class CookieJar {
  #cookies = new Map();

  /** Takes the `Set-Cookie` lines of a response, in order: a later one wins. */
  take(lines) {
    for (const line of lines) {
      const cookie = parseSetCookie(line);
      if (cookie.maxAge !== undefined && cookie.maxAge <= 0) this.#cookies.delete(cookie.name);
      else this.#cookies.set(cookie.name, cookie);
    }
  }

  /** The `Cookie` header, or `undefined` for an empty jar. */
  header() {
    const pairs = [...this.#cookies.values()].map(({ name, value }) => `${name}=${value}`);
    return pairs.length === 0 ? undefined : pairs.join("; ");
  }

  /** The cookie called `better-auth.<name>`, if it is there. */
  get(name) {
    return this.#cookies.get(`better-auth.${name}`);
  }

  /** Forgets the cookie called `better-auth.<name>`. */
  delete(name) {
    this.#cookies.delete(`better-auth.${name}`);
  }

  /** Puts a cookie of another jar here. */
  put(cookie) {
    this.#cookies.set(cookie.name, cookie);
  }
}

/** The name, value, attributes and Max-Age of a `Set-Cookie` line. */
export function parseSetCookie(line) {
  const [pair, ...attributes] = line.split(/;\s*/);
  const [name, value] = splitOnce(pair);
  const cookie = { name, value, attributes: attributes.map((attribute) => attribute.toLowerCase()) };
  const maxAge = attributes.map(splitOnce).find(([key]) => key.toLowerCase() === "max-age");
  return maxAge ? { ...cookie, maxAge: Number(maxAge[1]) } : cookie;
}

function splitOnce(text) {
  const at = text.indexOf("=");
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
