// A server of one's own: the real binary, with its own port and its own data directory, both gone after the test.

import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { newDatabase } from "./postgres.mjs";

const REPOSITORY = resolve(import.meta.dirname, "../../..");

/** A debug build on a busy machine takes its time. */
const START_LIMIT_MS = 30_000;

/** Longer than the server's own grace period, so that it is the server that ends the waiting. */
const STOP_LIMIT_MS = 15_000;

/**
 * Starts a server that ends with the test `t`; `own` are settings of its own, by the name of the variable, and `host` is the name of
 * this machine in its base URL. It is on SQLite, or on PostgreSQL if `CLIENT_TESTS_DATABASE` is `postgresql`.
 */
export async function startServer(t, own = {}, host = "127.0.0.1") {
  const dataDirectory = await mkdtemp(join(tmpdir(), "countersign-"));
  const database = newTestDatabase();
  const settings = { ...database.settings, ...own };
  let child;
  let log = () => "";
  t.after(async () => {
    try {
      if (child) await stop(child);
      const broken = log().split("\n").filter((line) => line.includes("response breaks the contract"));
      if (broken.length > 0) throw new Error(`the server's responses broke the contract:\n${broken.join("\n")}`);
    } finally {
      await rm(dataDirectory, { recursive: true, force: true });
      database.remove();
    }
  });
  // The base URL has to name the port, so the port is chosen first; somebody else may take it in between.
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    const baseURL = `http://${host}:${port}`;
    const started = await launch(port, baseURL, dataDirectory, settings);
    if (started.isListening) {
      child = started.child;
      log = started.log;
      return new Server(baseURL, dataDirectory, settings);
    }
    if (tries === 5 || !started.log().includes("listening on")) {
      throw new Error(`the server did not start:\n${started.log()}`);
    }
  }
}

/** The database of a server: settings that name it, of which SQLite in the data directory needs none. */
function newTestDatabase() {
  const kind = process.env.CLIENT_TESTS_DATABASE ?? "sqlite";
  if (kind === "sqlite") return { settings: {}, remove: () => {} };
  if (kind !== "postgresql") throw new Error(`CLIENT_TESTS_DATABASE is sqlite or postgresql, not ${kind}`);
  const { url, remove } = newDatabase();
  return { settings: { COUNTERSIGN_DATABASE_URL: url }, remove };
}

class Server {
  #settings;

  constructor(baseURL, dataDirectory, settings) {
    this.#settings = settings;
    this.baseURL = baseURL;
    this.dataDirectory = dataDirectory;
    this.outbox = join(dataDirectory, "outbox.ndjson");
  }

  /** A new key for a service, made beside the running server. */
  apiKey(...options) {
    const env = { ...environment(), COUNTERSIGN_DATA_DIR: this.dataDirectory, ...this.#settings };
    const output = execFileSync(binary(), ["api-key", "create", ...options], { env, encoding: "utf8" });
    return output.trimEnd().split("\n").at(-1);
  }

  /** Every message to `address`, oldest first. */
  async messagesTo(address) {
    const lines = (await readFile(this.outbox, "utf8")).split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line)).filter((message) => message.to === address);
  }

  /** The code in the newest message to `address`. */
  async mailedCode(address) {
    const messages = (await this.messagesTo(address)).filter(({ code }) => code !== undefined);
    if (messages.length === 0) throw new Error(`no code was mailed to ${address}`);
    return messages.at(-1).code;
  }

  /** The link in the newest message to `address` that has one, of at least `count`. It may be mailed after the response. */
  async mailedLink(address, count = 1) {
    for (let tries = 0; tries < 100; tries += 1) {
      const messages = await this.messagesTo(address).catch(() => []);
      const links = messages.flatMap(({ link }) => (link === undefined ? [] : [link]));
      if (links.length >= count) return links.at(-1);
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`fewer than ${count} links were mailed to ${address}`);
  }
}

/** A new keyring, with a key for RS256 as well. */
export function newKeyring() {
  return execFileSync(binary(), ["generate-keyring", "--rs256"], { env: environment(), encoding: "utf8" });
}

function binary() {
  const given = process.env.COUNTERSIGN_BINARY;
  const candidates = given
    ? [resolve(given)]
    : ["debug", "release"].map((profile) => join(REPOSITORY, "target", profile, "countersign"));
  const found = candidates.find((path) => existsSync(path));
  if (found) return found;
  throw new Error(`no server binary at ${candidates.join(" or ")}: run cargo build, or set COUNTERSIGN_BINARY`);
}

function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** Settings of the person who runs the tests stay out. */
function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN_")));
}

function launch(port, baseURL, dataDirectory, settings) {
  // In a directory of its own there is no ./countersign.toml.
  const child = spawn(binary(), [], {
    cwd: dataDirectory,
    env: {
      ...environment(),
      COUNTERSIGN_LISTEN: `127.0.0.1:${port}`,
      COUNTERSIGN_BASE_URL: baseURL,
      COUNTERSIGN_DATA_DIR: dataDirectory,
      COUNTERSIGN_OUTBOX: join(dataDirectory, "outbox.ndjson"),
      COUNTERSIGN_RATE_LIMITS: "off",
      COUNTERSIGN_VALIDATE_RESPONSES: "on",
      COUNTERSIGN_LOG: "warning",
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Also when the tests end in the middle, the server does.
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));

  return new Promise((done) => {
    let screen = "";
    let log = "";
    const limit = setTimeout(() => {
      child.kill("SIGKILL");
      log += `no first screen within ${START_LIMIT_MS} ms\n`;
    }, START_LIMIT_MS);
    child.stdout.on("data", (chunk) => {
      screen += chunk;
      if (screen.includes(" is listening on ")) {
        clearTimeout(limit);
        done({ isListening: true, child, log: () => log });
      }
    });
    child.stderr.on("data", (chunk) => (log += chunk));
    child.once("error", (error) => (log += `${error}\n`));
    child.once("close", () => {
      clearTimeout(limit);
      done({ isListening: false, log: () => log });
    });
  });
}

function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) {
    throw new Error(`the server ended by itself: ${child.exitCode ?? child.signalCode}`);
  }
  return new Promise((done, failed) => {
    const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    child.once("exit", (code, signal) => {
      clearTimeout(limit);
      if (code === 0) done();
      else failed(new Error(`the server did not stop in order: ${code ?? signal}`));
    });
    child.kill("SIGTERM");
  });
}
