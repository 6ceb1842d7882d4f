// A scenario on one of the servers: its callers, and what was sent and received.

import { Caller } from "./caller.mjs";
import { Normaliser } from "./normalise.mjs";

export const PASSWORD = "correct horse battery staple";

export class World {
  #server;
  #normaliser;
  #emails = 0;

  /** `name` is the scenario's: addresses contain it, so they are the same on both servers and nobody else's. */
  constructor(server, name) {
    this.#server = server;
    this.#normaliser = new Normaliser(server.baseURL);
    this.name = name;
    this.baseURL = server.baseURL;
    /** By label, in order: the request, and the response in a form that can be compared. */
    this.steps = new Map();
  }

  browser({ origin = this.baseURL } = {}) {
    return new Caller(this, { cookies: true, origin });
  }

  app(token) {
    return new Caller(this, { token });
  }

  /** Neither cookies nor an origin nor a token. */
  script() {
    return new Caller(this);
  }

  /** An address that nobody has yet, on either server. */
  newEmail() {
    this.#emails += 1;
    return `ada.${this.name.replaceAll(/[^a-z]+/g, "-")}.${this.#emails}@example.com`;
  }

  mailedCode(address) {
    return this.#server.mailedCode(address);
  }

  /** The newest of at least `count` links that were mailed there: its path and query, and its token. */
  async mailedLink(address, count = 1) {
    const link = await this.#server.mailedLink(address, count);
    const path = link.slice(`${this.baseURL}/api/auth`.length);
    const token = new URL(link).searchParams.get("token") ?? /\/reset-password\/([^?]*)/.exec(path)?.[1];
    this.#normaliser.learn(token, "token of a mailed link");
    return { path, token };
  }

  note(label, request, response) {
    if (this.steps.has(label)) throw new Error(`${this.name}: two steps are called ${label}`);
    this.steps.set(label, { request, response: this.#normaliser.response(label, response, request.headers.origin) });
  }
}
