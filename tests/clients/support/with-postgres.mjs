// Runs a command with a PostgreSQL server: the one that COUNTERSIGN_TEST_POSTGRES names, else a temporary one of this
// machine's programs, which ends with the command.
//
// usage: node with-postgres.mjs COMMAND [ARGUMENT…]
//
// Exit status: the command's; 2 when there is no PostgreSQL.

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";

const DEBIAN = "/usr/lib/postgresql";

/** A busy machine takes its time. */
const START_LIMIT_SECONDS = "60";

/** The directory of initdb and pg_ctl: on the path, or the newest where Debian keeps them. */
function findPrograms() {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => b - a) : [];
  const candidates = [...process.env.PATH.split(delimiter), ...debian.map((version) => join(DEBIAN, version, "bin"))];
  const found = candidates.find((path) => ["initdb", "pg_ctl"].every((name) => existsSync(join(path, name))));
  if (found) return found;
  console.error("with-postgres: initdb and pg_ctl are not on this machine: install PostgreSQL, or set COUNTERSIGN_TEST_POSTGRES");
  process.exit(2);
}

/** Whose the cluster is when root runs the tests: PostgreSQL refuses to be root's. */
function ownerOfClusters() {
  if (process.getuid() !== 0) return {};
  const users = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  const [, , uid, gid] = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody");
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort() {
  const probe = createServer();
  await new Promise((done, failed) => probe.once("error", failed).listen(0, "127.0.0.1", done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

/** Starts a cluster; says its address, and how to end it. */
async function startCluster() {
  const programs = findPrograms();
  const owner = ownerOfClusters();
  // Short, because a socket's path has to be; not under $TMPDIR, which may be closed to the other user.
  const directory = mkdtempSync("/tmp/countersign-pg-");
  const write = (name, text) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    if (owner.uid !== undefined) chownSync(join(directory, name), owner.uid, owner.gid);
  };
  const run = (program, ...options) =>
    execFileSync(join(programs, program), options, { cwd: directory, stdio: ["ignore", "ignore", "inherit"], ...owner });
  const data = join(directory, "data");
  const end = () => {
    try {
      run("pg_ctl", "-D", data, "-m", "immediate", "stop");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  };

  if (owner.uid !== undefined) chownSync(directory, owner.uid, owner.gid);
  const password = randomBytes(16).toString("hex");
  write("password", password);
  run("initdb", "--no-sync", "--username=countersign", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
    `--pwfile=${join(directory, "password")}`, `--pgdata=${data}`);
  const port = await freePort();
  write("data/postgresql.auto.conf", `listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = '${directory}'
fsync = off
full_page_writes = off
`);
  try {
    run("pg_ctl", "-D", data, "-l", join(directory, "log"), "-w", "-t", START_LIMIT_SECONDS, "start");
  } catch (error) {
    const log = existsSync(join(directory, "log")) ? readFileSync(join(directory, "log"), "utf8") : "";
    rmSync(directory, { recursive: true, force: true });
    throw new Error(`PostgreSQL does not start: ${error.message}\n${log}`);
  }
  return { url: `postgres://countersign:${password}@127.0.0.1:${port}/postgres`, end };
}

const [command, ...options] = process.argv.slice(2);
if (command === undefined) {
  console.error("usage: node with-postgres.mjs COMMAND [ARGUMENT…]");
  process.exit(2);
}
const given = process.env.COUNTERSIGN_TEST_POSTGRES;
const cluster = given ? { url: given, end: () => {} } : await startCluster();
const child = spawn(command, options, { stdio: "inherit", env: { ...process.env, COUNTERSIGN_TEST_POSTGRES: cluster.url } });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
const status = await new Promise((done) => {
  child.once("error", (error) => {
    console.error(`with-postgres: ${error.message}`);
    done(2);
  });
  child.once("exit", (code) => done(code ?? 1));
});
cluster.end();
process.exit(status);
