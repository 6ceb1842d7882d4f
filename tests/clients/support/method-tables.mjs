// openapi/CLIENTS.md: what of the methods of published clients is served. Tests write its tables, and compare.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";

const FILE = resolve(import.meta.dirname, "../../../openapi/CLIENTS.md");

/** Says whether a contract has an operation. */
export class Contract {
  #parameters = new Map();

  /** Reads the one that `server` publishes as `name`. */
  static async of(server, name) {
    const { paths, servers, components } = await (await fetch(`${server.baseURL}/openapi/${name}.json`)).json();
    const base = new URL(servers[0].url).pathname.replace(/\/$/, "");
    const parameterName = ({ $ref, name }) => name ?? components.parameters[$ref.split("/").at(-1)].name;
    const contract = new Contract();
    for (const [path, { parameters: shared = [], ...operations }] of Object.entries(paths)) {
      for (const [method, { parameters = [] }] of Object.entries(operations)) {
        const operation = `${method.toUpperCase()} ${base}${path}`.replaceAll(/\{[^}]*\}/g, "{}");
        contract.#parameters.set(operation, [...shared, ...parameters].map(parameterName));
      }
    }
    return contract;
  }

  /** Of `operation`, a method and a path with `{}` where a parameter is, with one of these parameters if there are any. */
  serves(operation, parameters = []) {
    const known = this.#parameters.get(operation);
    return known !== undefined && (parameters.length === 0 || parameters.some((name) => known.includes(name)));
  }
}

/** Holds the section of the file that is marked `name` against `lines`, or writes it with UPDATE_GOLDEN=1. */
export async function assertTable(name, lines) {
  const text = await readFile(FILE, "utf8");
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const [before, rest] = split(text, begin);
  const [, after] = split(rest, end);
  const expected = `${before}${begin}\n${lines.join("\n")}\n\n${end}${after}`;
  if (process.env.UPDATE_GOLDEN === "1") await writeFile(FILE, expected);
  else assert.equal(text, expected, "openapi/CLIENTS.md is out of date: run tests/clients/run with UPDATE_GOLDEN=1");
}

function split(text, mark) {
  const at = text.indexOf(mark);
  assert.notEqual(at, -1, `openapi/CLIENTS.md lacks ${mark.trim()}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
