// A small application on an origin of its own, with the real better-auth client.

import { build } from "esbuild";
import { createServer } from "node:http";
import { join } from "node:path";

/** Without an icon, Chromium asks for one. */
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>An application</title>
<button id="sign-in">Sign in</button>
<script type="module" src="/application.js"></script>
`;

/**
 * Serves a page until the test `t` ends, at an address of this machine by the name `host`. Its code is set by `use`, since that
 * may need the page's origin.
 */
export async function startApplication(t, host = "127.0.0.1") {
  let code;
  const server = createServer((request, response) => {
    const isScript = request.url === "/application.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html; charset=utf-8");
    response.end(isScript ? code : PAGE);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    origin: `http://${host}:${server.address().port}`,
    /** Sets the page's code, a module; packages that it imports are bundled with it. */
    async use(script) {
      const bundle = await build({
        stdin: { contents: script, resolveDir: join(import.meta.dirname, ".."), loader: "js" },
        bundle: true,
        format: "esm",
        write: false,
        logLevel: "silent",
      });
      code = bundle.outputFiles[0].text;
    },
  };
}
