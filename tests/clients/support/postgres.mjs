// Databases on the PostgreSQL server that `COUNTERSIGN_TEST_POSTGRES` names.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

/** A new, empty database: its address, and how to remove it. */
export function newDatabase() {
  const server = process.env.COUNTERSIGN_TEST_POSTGRES;
  if (!server) throw new Error("no PostgreSQL: set COUNTERSIGN_TEST_POSTGRES, or run this with support/with-postgres.mjs");
  const name = `countersign_clients_${process.pid}_${randomBytes(4).toString("hex")}`;
  execute(server, `CREATE DATABASE ${name} TEMPLATE template0`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, remove: () => execute(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

function execute(server, statement) {
  const options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", `--dbname=${server}`, `--command=${statement}`];
  execFileSync("psql", options, { stdio: ["ignore", "ignore", "pipe"] });
}
