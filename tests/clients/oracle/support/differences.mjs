// In what two responses differ, and which of that openapi/README.md declares.

/** Where there is nothing. */
export const ABSENT = "absent";

/** The leaves of a value, by their path. */
function leaves(value, path, into = new Map()) {
  const isArray = Array.isArray(value);
  if (value === null || typeof value !== "object") into.set(path, typeof value === "string" ? value : JSON.stringify(value));
  else if (Object.keys(value).length === 0 && (isArray || path === "body")) into.set(path, isArray ? "[]" : "{}");
  else for (const [key, item] of Object.entries(value)) leaves(item, isArray ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`, into);
  return into;
}

/** How a request ended: the status, and the code of an error or whether there is a challenge. */
function outcome({ status, body }) {
  if (body?.twoFactorRedirect === true) return `${status} challenge`;
  return typeof body?.code === "string" ? `${status} ${body.code}` : String(status);
}

/** A response with the body of a challenge called so: it has little in common with others. */
function labelled({ body, ...rest }) {
  return { ...rest, [body?.twoFactorRedirect === true ? "challenge" : "body"]: body };
}

/** Each place in which two responses differ, with what is there. If a request ended otherwise, that is the only one. */
export function differences(real, ours) {
  const outcomes = { of: "outcome", real: outcome(real), ours: outcome(ours) };
  if (outcomes.real !== outcomes.ours) return [outcomes];
  const [theirs, own] = [real, ours].map((response) => leaves(labelled(response), ""));
  const paths = new Set([...theirs.keys(), ...own.keys()]);
  return [...paths]
    .map((of) => ({ of, real: theirs.get(of) ?? ABSENT, ours: own.get(of) ?? ABSENT }))
    .filter((difference) => difference.real !== difference.ours);
}

/** The first cells of the table of deviations from the real Better Auth server. */
export function declaredRows(readme) {
  const [, section] = /### Better Auth \(.*?\n(.*?)\n### /s.exec(readme) ?? [];
  if (section === undefined) throw new Error("openapi/README.md has no section about Better Auth's deviations");
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(1).map((line) => line.split(" | ")[0].slice(2));
}

/** A pattern in which `*` stands for anything. */
function matches(pattern, text) {
  const source = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  return new RegExp(`^${source}$`, "s").test(text);
}

/** The entries of deviations.json: which differences they allow, and whether they were needed. */
export class Deviations {
  #entries;

  constructor(entries, rows) {
    this.#entries = entries.map((entry) => ({ ...entry, uses: 0 }));
    /** What is wrong with the file itself. */
    this.faults = entries.flatMap((entry) => {
      const found = rows.filter((row) => row.startsWith(entry.row));
      return found.length === 1 ? [] : [`${found.length} rows of openapi/README.md begin with "${entry.row}"`];
    });
  }

  /** Whether an entry allows this difference in step `at`; the entry counts as needed. */
  allow(at, difference) {
    const allowing = this.#entries.filter(
      (entry) =>
        entry.at.some((pattern) => matches(pattern, at)) &&
        entry.of.some((pattern) => matches(pattern, difference.of)) &&
        matches(entry.real, difference.real) &&
        matches(entry.ours, difference.ours),
    );
    for (const entry of allowing) entry.uses += 1;
    return allowing.length > 0;
  }

  /** The entries that allowed nothing. */
  get stale() {
    return this.#entries.filter(({ uses }) => uses === 0).map(({ uses, ...entry }) => entry);
  }
}
