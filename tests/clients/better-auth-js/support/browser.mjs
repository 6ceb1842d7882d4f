// Two kinds of users of the real client: a browser, which has cookies, and an app, which has a bearer token.

import { CookieJar } from "./cookie-jar.mjs";
import { createAuthClient, passkeyClient, twoFactorClient } from "./release.mjs";

/** What both have: a client, what it was asked to do, and the server's last response as it came over the wire. */
class User {
  constructor(server, fetchOptions) {
    /** The arguments of every call of `onTwoFactorRedirect`. */
    this.redirects = [];
    /** The last response: status, headers and text. */
    this.response = undefined;
    this.client = createAuthClient({
      baseURL: server.baseURL,
      plugins: [twoFactorClient({ onTwoFactorRedirect: (context) => void this.redirects.push(context) }), passkeyClient()],
      fetchOptions,
    });
  }

  async keep(response) {
    this.response = { status: response.status, headers: response.headers, text: await response.clone().text() };
    return response;
  }
}

/** A browser: its cookies go with every request, and requests that change something name the page's origin. */
export class Browser extends User {
  constructor(server, { origin = server.baseURL } = {}) {
    super(server, { customFetchImpl: (url, options) => this.#fetch(url, options) });
    this.cookies = new CookieJar();
    this.origin = origin;
  }

  async #fetch(url, options) {
    const headers = new Headers(options.headers);
    const cookies = this.cookies.header();
    if (cookies !== undefined) headers.set("cookie", cookies);
    if (options.method !== "GET") headers.set("origin", this.origin);
    const response = await fetch(url, { ...options, headers });
    this.cookies.take(response.headers.getSetCookie());
    return this.keep(response);
  }
}

/** An app: no cookies at all. It sends `token`, and replaces it whenever a response has `set-auth-token`. */
export class App extends User {
  constructor(server, token) {
    super(server, {
      auth: { type: "Bearer", token: () => this.token },
      customFetchImpl: (url, options) => this.#fetch(url, options),
      onSuccess: ({ response }) => {
        this.token = response.headers.get("set-auth-token") ?? this.token;
      },
    });
    this.origin = server.baseURL;
    this.token = token;
  }

  async #fetch(url, options) {
    const headers = new Headers(options.headers);
    if (this.origin !== undefined) headers.set("origin", this.origin);
    return this.keep(await fetch(url, { ...options, headers }));
  }
}
