// The client of a scenario, which sends requests byte for byte as the scenario gives them; `fetch` does not.

import { Agent, request as send } from "node:http";
import { CookieJar } from "../../better-auth-js/support/cookie-jar.mjs";

const agent = new Agent({ keepAlive: true });

/** A caller that keeps cookies and names its page's origin (`browser`), or shows a token (`app`), or neither. */
export class Caller {
  #world;

  constructor(world, { cookies, origin, token } = {}) {
    this.#world = world;
    /** The cookies that go with each request, or nothing. */
    this.cookies = cookies ? new CookieJar() : undefined;
    this.origin = origin;
    /** What each request has behind `Bearer`, or nothing. */
    this.token = token;
  }

  get(label, path, options) {
    return this.send(label, "GET", path, options);
  }

  /** `body` is sent as JSON. */
  post(label, path, body, options) {
    return this.send(label, "POST", path, { json: body, ...options });
  }

  /**
   * Sends a request, and notes the response as step `label` of the scenario. Of the options, `json` is the body as a value
   * and `text` the body as it stands; `type` is its content type, or null for none; `headers` come last, and null removes one.
   */
  async send(label, method, path, { json, text, type = "application/json", headers: more = {} } = {}) {
    const body = text ?? (json === undefined ? undefined : JSON.stringify(json));
    const headers = { "user-agent": "oracle" };
    if (body !== undefined && type !== null) headers["content-type"] = type;
    if (method !== "GET" && this.origin !== undefined) headers.origin = this.origin;
    if (this.token !== undefined) headers.authorization = `Bearer ${this.token}`;
    const cookies = this.cookies?.header();
    if (cookies !== undefined) headers.cookie = cookies;
    for (const [name, value] of Object.entries(more)) {
      if (value === null) delete headers[name];
      else headers[name] = value;
    }
    if (method !== "GET") headers["content-length"] = Buffer.byteLength(body ?? "");

    const response = await exchange(`${this.#world.baseURL}/api/auth${path}`, { method, headers, agent }, body);
    this.cookies?.take(response.cookies);
    this.#world.note(label, { method, path, headers, body }, response);
    return response;
  }
}

function exchange(url, options, body) {
  return new Promise((done, failed) => {
    const request = send(url, options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.once("error", failed);
      response.once("end", () => {
        const text = Buffer.concat(chunks).toString();
        done({
          status: response.statusCode,
          headers: response.headers,
          cookies: response.headers["set-cookie"] ?? [],
          text,
          body: parse(text),
          at: Date.now(),
        });
      });
    });
    request.once("error", failed);
    request.end(body);
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
